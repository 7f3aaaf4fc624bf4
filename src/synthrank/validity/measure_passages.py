"""Step measure_passages: what the positives of a training set, or the passages of a paradigm, are like."""

import csv
import logging
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np

from synthrank.files import atomic_text, write_json
from synthrank.order import sample as sampled
from synthrank.retrievers.dense import open_encoder
from synthrank.specs.base import load
from synthrank.specs.retrievers import RetrieverSpec
from synthrank.validity.controls import equally_long, without_overlap
from synthrank.validity.diversity import mean_cosine, self_bleu, vendi_score
from synthrank.validity.duplicates import near_duplicates
from synthrank.validity.positives import Pair, read_positives
from synthrank.validity.statistics import Positives, Row, languages, of_all, of_pairs, of_sample
from synthrank.vectors import TextEncoder

log = logging.getLogger(__name__)


def measure_passages(
    *,
    data: Path,
    reference: list[Path],
    retriever: Path,
    model: Path,
    sample: int,
    refusals: list[str],
    seed: int,
    statistics: Path,
    controls: Path,
    passages: Path,
) -> None:
    """Write statistics of the positives, and of the same positives as matched controls.

    Lengths and overlaps are of pairs of a query and a passage, as a ranker is trained on them; all else is of distinct
    passages, by id. Words are runs of letters and digits in lower case after NFKC, without stemming. What compares all
    passages with all, what needs a model, and what falls or grows with the number of passages is of a seeded sample:
    compare training sets whose samples are of one size. A statistic that is not defined is null.

    Controls are keyed by what is matched: ``overlap`` leaves the query's words out of each passage; ``length`` cuts the
    longer one of a query's two passages, the data's and the reference's, to the words of the other one, and measures
    both sides.

    Args:
        data: a training set's groups, whose candidates with a label above 0 count, or written passages.
        reference: the training set of human passages whose lengths are matched; empty for none.
        retriever: the dense retriever's entity file, whose model gives the vectors of passages.
        model: the folder of its model.
        sample: how many passages the sample holds; all where there are fewer.
        refusals: what marks a passage, in its first 100 characters in lower case, as a refusal or talk about itself.
        seed: of the sample and of MinHash.
        statistics: written: the statistics.
        controls: written: those of each control and side, ``own`` or ``reference``; ``length`` is there only if data
            and reference share a query.
        passages: written: one row a pair, as CSV.

    Raises:
        DataError: there is no positive, or a line is not what is expected.
    """
    pairs = read_positives(data)
    measure = _Measuring(open_encoder(load(RetrieverSpec, retriever), model), sample, refusals, seed)
    write_json(statistics, measure.statistics(pairs))
    matched = {"overlap": {"own": without_overlap(pairs)}}
    for path in reference:
        own, others = equally_long(pairs, read_positives(path))
        if own:
            matched["length"] = {"own": own, "reference": others}
    write_json(
        controls,
        {name: {side: measure.statistics(those) for side, those in sides.items()} for name, sides in matched.items()},
    )
    _write_rows(passages, Positives(pairs).rows())


class _Measuring:
    """Measures positives, all with one model, sample size and seed."""

    def __init__(self, encoder: TextEncoder, sample: int, refusals: Sequence[str], seed: int) -> None:
        self._encoder, self._sample, self._refusals, self._seed = encoder, sample, refusals, seed

    def statistics(self, pairs: Sequence[Pair]) -> dict[str, object]:
        """Return the statistics of pairs of a query and a positive."""
        positives = Positives(pairs)
        texts = positives.texts
        words = positives.words(list(texts))
        chosen = sampled(texts, self._sample, self._seed, str)
        log.info("%d pairs, %d passages, a sample of %d", len(pairs), len(texts), len(chosen))
        sample = [texts[name] for name in chosen]
        return {
            **of_pairs(positives, positives.rows()),
            **of_all(texts, words, self._refusals),
            "near_duplicates": near_duplicates(words, self._seed),
            "languages": languages(texts.values()),
            "sample": len(chosen),
            **of_sample(sample, positives.words(chosen)),
            **_compared(sample, self._encoder),
        }


def _compared(texts: Sequence[str], encoder: TextEncoder) -> dict[str, float | None]:
    """Return what compares all texts of a sample with all."""
    if not texts:
        return {"self_bleu": None, "mean_cosine": None, "effective_passages": None}
    vectors = encoder.passages(texts)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return {
        "self_bleu": self_bleu(texts),
        "mean_cosine": mean_cosine(vectors),
        "effective_passages": vendi_score(vectors),
    }


def _write_rows(path: Path, rows: Sequence[Row]) -> None:
    with atomic_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(field.name for field in fields(Row))
        writer.writerows([f"{cell:.4f}" if isinstance(cell, float) else cell for cell in astuple(row)] for row in rows)
