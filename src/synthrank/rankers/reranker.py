"""Train and run rerankers: an encoder, a T5 or a decoder reads query and passage together.

Sources: Nogueira and Cho 2019, Nogueira et al. 2020, Zhang et al. 2025 (Qwen3-Reranker).
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments

from synthrank.config.rankers import CrossEncoderRanker, Reranker
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.trec import Run, rank
from synthrank.rankers.adapters import add_adapters, merge_adapters
from synthrank.rankers.base import Collection, Training, TrainingLog
from synthrank.rankers.candidates import Candidates, candidates
from synthrank.rankers.cross_encoder import PairModel, PairScorer, open_pair_model
from synthrank.rankers.datasets import TEXTS_AT_ONCE, contrastive_dataset, count_cut, listwise_dataset, pairs_of
from synthrank.rankers.distributed import is_first
from synthrank.rankers.in_batch import MaskedPairNegatives
from synthrank.rankers.listwise import ListwiseLoss
from synthrank.rankers.losses import list_function
from synthrank.rankers.prompt_score import PromptScore
from synthrank.rankers.relevance import Relevance
from synthrank.rankers.trainers import ResumableTrainer
from synthrank.rankers.training import run_training
from synthrank.runtime.progress import progress

_log = logging.getLogger(__name__)


class PairTrainer(ResumableTrainer, CrossEncoderTrainer):  # type: ignore[misc]  # the library is untyped
    """The library's trainer with resumable states."""


def train_reranker(spec: Reranker, job: Training, checkpoint: Path) -> TrainingLog:
    """Train a reranker and save it."""
    model = open_pair_model(spec, job.base, job.seed)
    add_adapters(model, spec.lora, head=isinstance(spec, CrossEncoderRanker))
    relevance: Relevance | None = None
    if spec.loss == "multiple-negatives":
        data, relevance = contrastive_dataset(job.groups, spec)
        loss: Any = MaskedPairNegatives(model, relevance)
    else:
        data, loss = listwise_dataset(job.groups, spec), ListwiseLoss(model, list_function(spec.loss, spec.weighing))

    def save(folder: Path) -> None:
        merge_adapters(model, spec.lora).save_as_base(folder)

    parts = {"model": model, "train_dataset": data, "loss": loss}
    log = run_training(spec, job, PairTrainer, CrossEncoderTrainingArguments, parts, save, relevance)
    if not is_first():
        return log
    save(checkpoint)
    pairs = pairs_of(data)
    return replace(log, pairs=len(pairs), pairs_cut=pairs_cut(model, pairs))


def pairs_cut(model: PairModel, pairs: Sequence[tuple[str, str]]) -> int:
    """Count the pairs that exceed the model's length, so that their passage is truncated."""
    first = model[0]
    if isinstance(first, PromptScore):
        return sum(first.prompt.fit(some).passages_cut for some in split_into_batches(pairs, TEXTS_AT_ONCE))
    return count_cut(model.tokenizer, model.max_seq_length, *zip(*pairs, strict=True))


class RerankerScorer:
    """Reorder the top passages of a first stage."""

    def __init__(self, spec: Reranker, checkpoint: Path, seed: int) -> None:
        """Load the model."""
        self._spec, self._scorer = spec, PairScorer(spec, checkpoint, seed)

    def rank(self, collection: Collection) -> Run:
        """Return the top ``depth`` passages of the first stage in the model's order, per query of the shard.

        The scores do not depend on the number of shards, because queries that are scored together are in one shard.

        Raises:
            ModelError: a score is not finite.
        """
        given = candidates(collection, self._spec.rerank.depth)
        run = dict(progress(self._score_lists(given), len(given.queries), "queries"))
        first = self._scorer.model[0]
        if isinstance(first, PromptScore) and first.passages_cut:
            _log.warning("prompts: %d passages and %d queries were truncated", first.passages_cut, first.queries_cut)
            first.passages_cut = first.queries_cut = 0
        return run

    def _score_lists(self, given: Candidates) -> Iterator[tuple[str, list[tuple[str, float]]]]:
        for some in split_into_batches(given.queries, given.together):
            pairs = [(query, name, given.texts[name]) for query, name in given.pairs(some)]
            lists: Run = {query.id: [] for query in some}
            for (query, name, _), score in zip(pairs, self._scorer.scores(pairs), strict=True):
                lists[query.id].append((name, score))
            yield from ((query, rank(scored)) for query, scored in lists.items())
