"""Step measure_passages: statistics of the positives of a training set, or of the passages of a paradigm."""

import csv
import logging
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np

from synthrank.config.base import load
from synthrank.config.retrievers import RetrieverSpec
from synthrank.data.csv_text import protect
from synthrank.data.files import atomic_text, write_json
from synthrank.data.sampling import sample as sampled
from synthrank.retrievers.dense import open_encoder
from synthrank.steps.validity.controls import cut_overlap, cut_to_equal_length
from synthrank.steps.validity.diversity import mean_cosine, self_bleu, vendi_score
from synthrank.steps.validity.duplicates import near_duplicates
from synthrank.steps.validity.positives import LabelledPair, read_positives
from synthrank.steps.validity.statistics import PositiveRow, TrainingPositives, languages, of_all, of_pairs, of_sample
from synthrank.vectors.encoder import TextEncoder

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
    """Write statistics of the positives, and of their matched controls.

    Lengths and overlaps are computed per query-passage pair, other statistics per distinct passage id. Words are runs
    of letters and digits in lower case after NFKC, without stemming. A seeded sample is used for statistics that
    compare all passages with each other, need a model, or change with the number of passages: compare training sets
    with samples of equal size. An undefined statistic is null.

    The control ``overlap`` removes the query's words from each passage. The control ``length`` cuts the longer of a
    query's two passages, of the data and of the reference, to the length of the other, and measures both sides.

    Args:
        data: a training set's groups, whose candidates with a label above 0 count, or the passages of a paradigm.
        reference: the training set of human passages for the control ``length``; empty to skip this control.
        retriever: the entity file of the dense retriever that encodes passages.
        model: the folder of its model.
        sample: the size of the sample; all passages if there are fewer.
        refusals: phrases in lower case that mark refusals or meta text; only the beginning of a passage is searched.
        seed: the seed of the sample and of MinHash.
        statistics: the statistics to write.
        controls: the statistics to write of each control and side, ``own`` or ``reference``; ``length`` is present
            only if data and reference share a query.
        passages: the CSV file to write, with one row per pair.

    Raises:
        DataError: the file has no positive, or a line is invalid.
    """
    pairs = read_positives(data)
    measure = _Measuring(open_encoder(load(RetrieverSpec, retriever), model), sample, refusals, seed)
    write_json(statistics, measure.statistics(pairs))
    matched = {"overlap": {"own": cut_overlap(pairs)}}
    for path in reference:
        own, others = cut_to_equal_length(pairs, read_positives(path))
        if own:
            matched["length"] = {"own": own, "reference": others}
    write_json(
        controls,
        {name: {side: measure.statistics(those) for side, those in sides.items()} for name, sides in matched.items()},
    )
    _write_rows(passages, TrainingPositives(pairs).rows())


class _Measuring:
    """Compute statistics with a fixed model, sample size and seed."""

    def __init__(self, encoder: TextEncoder, sample: int, refusals: Sequence[str], seed: int) -> None:
        self._encoder, self._sample, self._refusals, self._seed = encoder, sample, refusals, seed

    def statistics(self, pairs: Sequence[LabelledPair]) -> dict[str, object]:
        """Return the statistics of query-positive pairs."""
        positives = TrainingPositives(pairs)
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
            **_compare_all(sample, self._encoder),
        }


def _compare_all(texts: Sequence[str], encoder: TextEncoder) -> dict[str, float | None]:
    """Return the statistics that compare all texts of a sample with each other."""
    if not texts:
        return {"self_bleu": None, "mean_cosine": None, "effective_passages": None}
    vectors = encoder.passages(texts)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return {
        "self_bleu": self_bleu(texts),
        "mean_cosine": mean_cosine(vectors),
        "effective_passages": vendi_score(vectors),
    }


def _write_rows(path: Path, rows: Sequence[PositiveRow]) -> None:
    with atomic_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(field.name for field in fields(PositiveRow))
        writer.writerows(
            [f"{cell:.4f}" if isinstance(cell, float) else protect(cell) for cell in astuple(row)] for row in rows
        )
