"""Statistics of the diversity of a sample of passages, which compare all passages with each other."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

import numpy as np
import numpy.typing as npt
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.helpers import extract_all_word_ngrams

ORDER = 4


def self_bleu(texts: Sequence[str]) -> float | None:
    """Return self-BLEU (Zhu et al. 2018), 0 to 100: the mean BLEU of each text with all others as references.

    Values equal sacrebleu's ``BLEU.sentence_score`` with its tokens (13a), effective order and exponential smoothing.
    Only the largest and the second largest count of every n-gram are stored, which avoids counting the references of
    each text again. Self-BLEU grows with the number of texts, so compare samples of equal size. None for fewer than
    two texts.
    """
    if len(texts) < 2:
        return None
    tokenize = BLEU(effective_order=True).tokenizer
    counted = [extract_all_word_ngrams(tokenize(text.rstrip()), 1, ORDER) for text in texts]
    best: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for place, (ngrams, _) in enumerate(counted):
        for ngram, count in ngrams.items():
            first, owner, second = best.get(ngram, (0, -1, 0))
            best[ngram] = (count, place, first) if count > first else (first, owner, max(second, count))
    lengths = Counter(length for _, length in counted)
    return fmean(_score(place, *counted[place], best, lengths) for place in range(len(texts)))


def _score(
    place: int,
    ngrams: Counter[tuple[str, ...]],
    length: int,
    best: dict[tuple[str, ...], tuple[int, int, int]],
    lengths: Counter[int],
) -> float:
    correct, total = [0] * ORDER, [0] * ORDER
    for ngram, count in ngrams.items():
        first, owner, second = best[ngram]
        total[len(ngram) - 1] += count
        correct[len(ngram) - 1] += min(count, second if owner == place else first)
    others = [other for other, count in lengths.items() if count > (other == length)]
    closest = min(others, key=lambda other: (abs(other - length), other))
    return float(BLEU.compute_bleu(correct, total, length, closest, smooth_method="exp", effective_order=True).score)


def mean_cosine(vectors: npt.NDArray[np.float32]) -> float | None:
    """Return the mean cosine of all pairs of vectors of unit length; None for fewer than two vectors."""
    count = len(vectors)
    if count < 2:
        return None
    total = vectors.astype(np.float64).sum(axis=0)
    return float((total @ total - count) / (count * (count - 1)))


def vendi_score(vectors: npt.NDArray[np.float32]) -> float | None:
    """Return the Vendi score (Friedman and Dieng 2023): the effective number of different texts.

    The score is the exponential of the entropy of the eigenvalues of K / n, with K the cosines of all pairs. The
    eigenvalues are computed from the smaller of V V^T and V^T V. The score is at most n and at most the dimensions.

    Args:
        vectors: vectors of unit length, shape (n, dimensions).
    """
    if not len(vectors):
        return None
    exact = vectors.astype(np.float64)
    product = exact @ exact.T if len(exact) <= exact.shape[1] else exact.T @ exact
    values = np.linalg.eigvalsh(product / len(exact))
    values = values[values > 1e-12]
    values = values / values.sum()  # the length of vectors from bfloat16 is 1 within 0.4 %
    return float(np.exp(-(values * np.log(values)).sum()))
