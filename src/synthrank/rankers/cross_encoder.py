"""Cross-encoders by sentence-transformers: query and passage together in, one score out (Nogueira and Cho 2019)."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import CrossEncoder
from sentence_transformers.cross_encoder import (
    CrossEncoderTrainer,
    CrossEncoderTrainingArguments,
    losses,
)

from synthrank.devices import device, dtype, seed_everything
from synthrank.errors import DataError, ModelError
from synthrank.progress import progress
from synthrank.rankers.base import Collection, TrainingLog
from synthrank.rankers.training import (
    ProgressCallback,
    contrastive,
    listwise,
    pointwise,
    trainer_arguments,
    training_log,
)
from synthrank.records import Group, Query
from synthrank.specs.rankers import CrossEncoderRanker
from synthrank.texts import chunks, texts_of
from synthrank.trec import Run, rank

WHOLE_BATCH = -1
"""Lets a listwise loss score a batch of lists in one forward pass."""

QUERIES_AT_ONCE = 32
"""Queries whose pairs are scored together: enough to batch by length, and few enough to show progress."""

Shape = Callable[[Sequence[Group], CrossEncoderRanker], Dataset]

LOSSES: dict[str, tuple[Callable[..., Any], dict[str, Any], Shape]] = {
    "binary-cross-entropy": (losses.BinaryCrossEntropyLoss, {}, pointwise),
    "lambda": (losses.LambdaLoss, {"mini_batch_size": WHOLE_BATCH}, listwise),
    "listnet": (losses.ListNetLoss, {"mini_batch_size": WHOLE_BATCH}, listwise),
    "multiple-negatives": (losses.MultipleNegativesRankingLoss, {"num_negatives": None}, contrastive),
    "ranknet": (losses.RankNetLoss, {"mini_batch_size": WHOLE_BATCH}, listwise),
}
"""Per loss: the library's class, its arguments, and the shape its data takes."""


def _open(spec: CrossEncoderRanker, model: Path, seed: int, dtype_name: str = "float32") -> CrossEncoder:
    seed_everything(seed)
    try:
        return CrossEncoder(
            str(model),
            num_labels=1,
            max_length=spec.max_length,
            device=device(),
            local_files_only=True,
            model_kwargs={"dtype": dtype(dtype_name)},
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"{model}: not a cross-encoder ({error}); expected config.json, safetensors") from error


def train_cross_encoder(
    spec: CrossEncoderRanker, base: Path, groups: Sequence[Group], seed: int, checkpoint: Path
) -> TrainingLog:
    """Train a cross-encoder and save it.

    Args:
        spec: the ranker.
        base: the model to start from; a missing head is drawn with ``seed``.
        groups: the training set.
        seed: seeds the head, the order of the data and the dropout.
        checkpoint: the new folder.
    """
    model = _open(spec, base, seed)
    kind, arguments, shape = LOSSES[spec.loss]
    data = shape(groups, spec)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = CrossEncoderTrainer(
            model=model,
            args=CrossEncoderTrainingArguments(**trainer_arguments(spec, len(data), seed, Path(scratch))),
            train_dataset=data,
            loss=kind(model, **arguments),
            callbacks=[ProgressCallback()],
        )
        result = trainer.train()
    model.save_pretrained(str(checkpoint), create_model_card=False, safe_serialization=True)
    return training_log(trainer.state.log_history, result.global_step)


class CrossEncoderScorer:
    """Reorders the top of a first-stage run."""

    def __init__(self, spec: CrossEncoderRanker, checkpoint: Path, seed: int) -> None:
        """Load the model."""
        self._spec = spec
        self._model = _open(spec, checkpoint, seed, "bfloat16" if spec.bf16 else "float32")

    def rank(self, collection: Collection) -> Run:
        """Return, per query, the first ``depth`` passages of the first stage in the model's order."""
        if collection.first_stage is None:
            raise DataError("a reranker needs a first-stage run; name one in the ranker's rerank.retriever")
        depth = self._spec.rerank.depth
        candidates = {query: [name for name, _ in ranked[:depth]] for query, ranked in collection.first_stage.items()}
        text_of = texts_of(collection.passages, (name for names in candidates.values() for name in names))
        asked = [query for query in collection.queries if query.id in candidates]
        return dict(progress(self._scored(asked, candidates, text_of), len(asked), "queries"))

    def _scored(
        self, asked: Sequence[Query], candidates: dict[str, list[str]], text_of: dict[str, str]
    ) -> Iterator[tuple[str, list[tuple[str, float]]]]:
        for some in chunks(asked, QUERIES_AT_ONCE):
            pairs = [(query, name) for query in some for name in candidates[query.id]]
            scores = self._model.predict(
                [(query.text, text_of[name]) for query, name in pairs],
                batch_size=self._spec.eval_batch_size,
                activation_fn=torch.nn.Identity(),  # logits: a sigmoid would squeeze distinct scores into ties
                show_progress_bar=False,
                convert_to_tensor=True,
            )
            lists: Run = {query.id: [] for query in some}
            for (query, name), score in zip(pairs, scores.float().tolist(), strict=True):
                lists[query.id].append((name, score))
            yield from ((query, rank(scored)) for query, scored in lists.items())
