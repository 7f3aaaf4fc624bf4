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
from synthrank.specs.retrievers import Dense, RetrieverSpec
from synthrank.validity.diversity import mean_cosine, self_bleu, vendi_score
from synthrank.validity.duplicates import near_duplicates
from synthrank.validity.language import languages
from synthrank.validity.positives import read_positives
from synthrank.validity.statistics import Positives, Row, of_all, of_pairs, of_sample

log = logging.getLogger(__name__)


def measure_passages(
    *,
    data: Path,
    retriever: Path,
    model: Path,
    sample: int,
    refusals: list[str],
    seed: int,
    statistics: Path,
    passages: Path,
) -> None:
    """Write statistics of the positives.

    Lengths and overlaps are of pairs of a query and a passage, as a ranker is trained on them; all else is of distinct
    passages, by id. Words are runs of letters and digits in lower case after NFKC, without stemming. What compares all
    passages with all, what needs a model, and what falls or grows with the number of passages is of a seeded sample:
    compare training sets whose samples are of one size. A statistic that is not defined is null.

    Args:
        data: a training set's groups, whose candidates with a label above 0 count, or written passages.
        retriever: the dense retriever's entity file, whose model gives the vectors of passages.
        model: the folder of its model.
        sample: how many passages the sample holds; all where there are fewer.
        refusals: what marks a passage, in its first 100 characters in lower case, as a refusal or talk about itself.
        seed: of the sample and of MinHash.
        statistics: written: the statistics.
        passages: written: one row a pair, as CSV.

    Raises:
        DataError: there is no positive, or a line is not what is expected.
    """
    positives = Positives(read_positives(data))
    rows = positives.rows()
    texts = positives.texts
    words = positives.words(list(texts))
    chosen = sampled(texts, sample, seed, str)
    log.info("%d pairs, %d passages, a sample of %d", len(rows), len(texts), len(chosen))
    found = {
        **of_pairs(positives, rows),
        **of_all(texts, words, refusals),
        "near_duplicates": near_duplicates(words, seed),
        "languages": languages(texts.values()),
        "sample": len(chosen),
        **of_sample([texts[name] for name in chosen], positives.words(chosen)),
        **_compared([texts[name] for name in chosen], load(RetrieverSpec, retriever), model),
    }
    write_json(statistics, found)
    _write_rows(passages, rows)


def _compared(texts: Sequence[str], spec: Dense, model: Path) -> dict[str, float | None]:
    """Return what compares all texts of a sample with all."""
    if not texts:
        return {"self_bleu": None, "mean_cosine": None, "effective_passages": None}
    vectors = open_encoder(spec, model).passages(texts)
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
