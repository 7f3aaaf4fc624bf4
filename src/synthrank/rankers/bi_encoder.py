"""Bi-encoders by sentence-transformers: a vector for the query, one for the passage, their cosine as the score."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer import losses

from synthrank.devices import seed_everything
from synthrank.files import json_lines
from synthrank.rankers.base import Collection, TrainingLog
from synthrank.rankers.training import ProgressCallback, contrastive, trainer_arguments, training_log
from synthrank.records import Group
from synthrank.specs.rankers import BiEncoderRanker
from synthrank.trec import Run
from synthrank.vectors import TextEncoder, VectorIndex, id_texts, open_bi_encoder

LOSSES: dict[str, Callable[..., Any]] = {
    "multiple-negatives": losses.MultipleNegativesRankingLoss,
    "cached-multiple-negatives": losses.CachedMultipleNegativesRankingLoss,
}
"""Per loss the library's class (van den Oord et al. 2018; cached: Gao et al. 2021)."""


def train_bi_encoder(
    spec: BiEncoderRanker, base: Path, groups: Sequence[Group], seed: int, checkpoint: Path
) -> TrainingLog:
    """Train a bi-encoder and save it.

    Args:
        spec: the ranker.
        base: the model to start from.
        groups: the training set, labels 0 and 1.
        seed: seeds the order of the data and the dropout.
        checkpoint: the new folder.
    """
    seed_everything(seed)
    model = open_bi_encoder(base)
    model.max_seq_length = spec.max_length
    data = contrastive(groups, spec)
    prefixes = {name: spec.query_prefix if name == "query" else spec.passage_prefix for name in data.column_names}
    with tempfile.TemporaryDirectory() as scratch:
        trainer = SentenceTransformerTrainer(
            model=model,
            args=SentenceTransformerTrainingArguments(
                **trainer_arguments(spec, len(data), seed, Path(scratch)), prompts=prefixes
            ),
            train_dataset=data,
            loss=LOSSES[spec.loss](model, scale=1 / spec.temperature),
            callbacks=[ProgressCallback()],
        )
        result = trainer.train()
    model.save_pretrained(str(checkpoint), create_model_card=False, safe_serialization=True)
    return training_log(trainer.state.log_history, result.global_step)


class BiEncoderSearcher:
    """Searches a whole collection."""

    def __init__(self, spec: BiEncoderRanker, checkpoint: Path) -> None:
        """Load the model."""
        self._depth = spec.depth
        self._encoder = TextEncoder(
            checkpoint,
            query_prefix=spec.query_prefix,
            passage_prefix=spec.passage_prefix,
            max_length=spec.max_length,
            dtype_name="bfloat16" if spec.bf16 else "float32",
            batch_size=spec.eval_batch_size,
        )
        self._indexed: tuple[Path, VectorIndex] | None = None

    def rank(self, collection: Collection) -> Run:
        """Return the nearest passages of each query; a collection asked twice in a row is encoded once."""
        if self._indexed is None or self._indexed[0] != collection.passages:
            total = sum(1 for _ in json_lines(collection.passages))
            index = VectorIndex.build(self._encoder, id_texts(collection.passages), total)
            self._indexed = collection.passages, index
        vectors = self._encoder.queries([query.text for query in collection.queries])
        return self._indexed[1].search(vectors, collection.queries, self._depth)
