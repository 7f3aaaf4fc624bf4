"""Rerankers: an encoder, a T5 or a decoder reads query and passage together.

Nogueira and Cho 2019, Nogueira et al. 2020, Zhang et al. 2025 (Qwen3-Reranker).
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments

from synthrank.progress import progress
from synthrank.rankers.adapters import add_adapters, merged
from synthrank.rankers.base import Collection, TrainingLog
from synthrank.rankers.candidates import Candidates, candidates
from synthrank.rankers.cuts import pairs_cut
from synthrank.rankers.in_batch import MaskedPairNegatives
from synthrank.rankers.listwise import ListwiseLoss
from synthrank.rankers.losses import list_function
from synthrank.rankers.pair_model import PairScorer, open_pair_model
from synthrank.rankers.points import PointsCallback
from synthrank.rankers.prompt_score import PromptScore
from synthrank.rankers.relevance import Relevance
from synthrank.rankers.shapes import contrastive, listwise, pairs_of
from synthrank.rankers.trainers import ResumableTrainer, is_first
from synthrank.rankers.training import run_training
from synthrank.records import Group
from synthrank.specs.rankers import CrossEncoderRanker, Reranker
from synthrank.texts import chunks
from synthrank.trec import Run, rank

_log = logging.getLogger(__name__)


class PairTrainer(ResumableTrainer, CrossEncoderTrainer):  # type: ignore[misc]  # the library is untyped
    """The library's trainer, resumable."""


def train_reranker(
    spec: Reranker,
    base: Path,
    groups: Sequence[Group],
    seed: int,
    checkpoint: Path,
    state: Path | None = None,
    points: Path | None = None,
) -> TrainingLog:
    """Train a reranker and save it.

    Args:
        spec: the ranker.
        base: the model to start from; a missing head is drawn with ``seed``.
        groups: the training set.
        seed: seeds the head, the order of the data and the dropout.
        checkpoint: the new folder.
        state: where a killed training is resumed from; none keeps no state.
        points: gets the model of each point of ``selection``; none keeps none.
    """
    model = open_pair_model(spec, base, seed)
    add_adapters(model, spec.lora, head=isinstance(spec, CrossEncoderRanker))
    relevance: Relevance | None = None
    if spec.loss == "multiple-negatives":
        data, relevance = contrastive(groups, spec)
        loss: Any = MaskedPairNegatives(model, relevance)
    else:
        data, loss = listwise(groups, spec), ListwiseLoss(model, list_function(spec.loss, spec.weighing))

    def save(folder: Path) -> None:
        merged(model, spec.lora).save_as_base(folder)

    log = run_training(
        PairTrainer,
        CrossEncoderTrainingArguments,
        {"model": model, "train_dataset": data, "loss": loss},
        spec,
        seed,
        state,
        [] if points is None else [PointsCallback(spec, points, save)],
        relevance,
    )
    if not is_first():
        return log
    save(checkpoint)
    pairs = pairs_of(data)
    return replace(log, pairs=len(pairs), pairs_cut=pairs_cut(model, pairs))


class RerankerScorer:
    """Reorders the top of a first-stage run."""

    def __init__(self, spec: Reranker, checkpoint: Path, seed: int) -> None:
        """Load the model."""
        self._spec, self._scorer = spec, PairScorer(spec, checkpoint, seed)

    def rank(self, collection: Collection) -> Run:
        """Return, per query of the share, the first ``depth`` passages of the first stage in the model's order.

        The scores are the same whatever the number of shards: queries that are scored together are in one share.

        Raises:
            ModelError: a score is not finite.
        """
        given = candidates(collection, self._spec.rerank.depth)
        run = dict(progress(self._scored(given), len(given.queries), "queries"))
        first = self._scorer.model[0]
        if isinstance(first, PromptScore) and first.passages_cut:
            _log.warning("%d passages were cut to fit the prompt, %d queries", first.passages_cut, first.queries_cut)
            first.passages_cut = first.queries_cut = 0
        return run

    def _scored(self, given: Candidates) -> Iterator[tuple[str, list[tuple[str, float]]]]:
        for some in chunks(given.queries, given.together):
            pairs = [(query, name, given.texts[name]) for query, name in given.pairs(some)]
            lists: Run = {query.id: [] for query in some}
            for (query, name, _), score in zip(pairs, self._scorer.scores(pairs), strict=True):
                lists[query.id].append((name, score))
            yield from ((query, rank(scored)) for query, scored in lists.items())
