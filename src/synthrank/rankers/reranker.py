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
from synthrank.rankers.base import Collection, Training, TrainingLog
from synthrank.rankers.candidates import Candidates, candidates
from synthrank.rankers.distributed import is_first
from synthrank.rankers.in_batch import MaskedPairNegatives
from synthrank.rankers.listwise import ListwiseLoss
from synthrank.rankers.losses import list_function
from synthrank.rankers.pair_model import PairModel, PairScorer, open_pair_model
from synthrank.rankers.prompt_score import PromptScore
from synthrank.rankers.relevance import Relevance
from synthrank.rankers.shapes import TEXTS_AT_ONCE, contrastive, count_cut, listwise, pairs_of
from synthrank.rankers.trainers import ResumableTrainer
from synthrank.rankers.training import run_training
from synthrank.specs.rankers import CrossEncoderRanker, Reranker
from synthrank.texts import chunks
from synthrank.trec import Run, rank

_log = logging.getLogger(__name__)


class PairTrainer(ResumableTrainer, CrossEncoderTrainer):  # type: ignore[misc]  # the library is untyped
    """The library's trainer, resumable."""


def train_reranker(spec: Reranker, job: Training, checkpoint: Path) -> TrainingLog:
    """Train a reranker and save it."""
    model = open_pair_model(spec, job.base, job.seed)
    add_adapters(model, spec.lora, head=isinstance(spec, CrossEncoderRanker))
    relevance: Relevance | None = None
    if spec.loss == "multiple-negatives":
        data, relevance = contrastive(job.groups, spec)
        loss: Any = MaskedPairNegatives(model, relevance)
    else:
        data, loss = listwise(job.groups, spec), ListwiseLoss(model, list_function(spec.loss, spec.weighing))

    def save(folder: Path) -> None:
        merged(model, spec.lora).save_as_base(folder)

    parts = {"model": model, "train_dataset": data, "loss": loss}
    log = run_training(spec, job, PairTrainer, CrossEncoderTrainingArguments, parts, save, relevance)
    if not is_first():
        return log
    save(checkpoint)
    pairs = pairs_of(data)
    return replace(log, pairs=len(pairs), pairs_cut=pairs_cut(model, pairs))


def pairs_cut(model: PairModel, pairs: Sequence[tuple[str, str]]) -> int:
    """Return how many of the pairs exceed the model's length and lose an end of their passage."""
    first = model[0]
    if isinstance(first, PromptScore):
        return sum(first.prompt.fit(some).passages_cut for some in chunks(pairs, TEXTS_AT_ONCE))
    return count_cut(model.tokenizer, model.max_seq_length, *zip(*pairs, strict=True))


class RerankerScorer:
    """Reorders the top of a first-stage run."""

    def __init__(self, spec: Reranker, checkpoint: Path, seed: int) -> None:
        """Load the model."""
        self._spec, self._scorer = spec, PairScorer(spec, checkpoint, seed)

    def rank(self, collection: Collection) -> Run:
        """Return, per query of the shard, the first ``depth`` passages of the first stage in the model's order.

        The scores are the same whatever the number of shards: queries that are scored together are in one shard.

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
