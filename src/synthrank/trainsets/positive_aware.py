"""The positive-aware cut: a candidate that scores almost as high as the positive may be one (Moreira et al. 2024)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from synthrank.encodings import Encoder, Vectors
from synthrank.records import WrittenPassage
from synthrank.specs.base import load
from synthrank.specs.recipes import Guard
from synthrank.specs.retrievers import RetrieverSpec
from synthrank.trec import Run

KEPT = 200_000
"""Vectors of candidates that are kept for further queries; with 768 dimensions they take 600 MB."""


class Scorer(Protocol):
    """Scores a positive and its candidates alike."""

    def scores(
        self, item: WrittenPassage, names: Sequence[str], text_of: Mapping[str, str]
    ) -> tuple[float | None, list[float]]:
        """Return the score of a positive for its query, None where it has none, and those of candidates."""


class RunScorer:
    """Takes the scores of the run that candidates come from; a positive that it does not hold has none."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def scores(
        self, item: WrittenPassage, names: Sequence[str], text_of: Mapping[str, str]
    ) -> tuple[float | None, list[float]]:
        """Return the run's scores."""
        scores = dict(self._run.get(item.query_id, []))
        return scores.get(item.id), [scores[name] for name in names]


class ModelScorer:
    """Takes the similarities of a dense model. A candidate is encoded once, unless there are very many."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, Vectors] = {}

    def scores(
        self, item: WrittenPassage, names: Sequence[str], text_of: Mapping[str, str]
    ) -> tuple[float | None, list[float]]:
        """Return the similarities of the query to each."""
        if len(self._vectors) > KEPT:
            self._vectors.clear()
        texts = list(dict.fromkeys([item.text, *(text_of[name] for name in names)]))
        new = [text for text in texts if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._encoder.passages(new), strict=True))
        query = self._encoder.queries([item.query])[0]
        return float(self._vectors[item.text] @ query), [float(self._vectors[text_of[name]] @ query) for name in names]


def limit(positive: float, share: float) -> float:
    """Return the highest score that a negative may have: ``share`` of the positive's.

    A positive's score below 0 has its limit as far below it as one above 0 of the same size, s - (1 - share) |s|, as
    ``relative_margin`` of sentence-transformers' ``mine_hard_negatives`` has it: a share of a negative score alone
    would let candidates pass that score higher than the positive.
    """
    return positive - (1 - share) * abs(positive)


def open_scorer(guard: Guard, run: Run, retriever: Sequence[Path], model: Sequence[Path]) -> Scorer | None:
    """Return what scores positives and candidates; None where there is no cut.

    Args:
        guard: states ``max_share_of_positive``, or none.
        run: the run that candidates come from, which scores where no retriever is given.
        retriever: the entity file of the dense retriever that scores; may be empty.
        model: the folder of its model.
    """
    if guard.max_share_of_positive is None:
        return None
    if not retriever:
        return RunScorer(run)
    from synthrank.retrievers.dense import open_encoder  # loads torch, which other recipes need not wait for

    return ModelScorer(open_encoder(load(RetrieverSpec, retriever[0]), model[0]))
