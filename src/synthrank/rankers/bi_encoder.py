"""Bi-encoders by sentence-transformers: a vector for the query, one for the passage, their cosine as the score."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)

from synthrank.devices import device, seed_everything
from synthrank.rankers.adapters import add_adapters, merged
from synthrank.rankers.base import TrainingLog
from synthrank.rankers.cuts import texts_cut
from synthrank.rankers.in_batch import CachedMaskedNegatives, MaskedNegatives
from synthrank.rankers.listwise import ListCollator, SimilarityListLoss
from synthrank.rankers.losses import list_function
from synthrank.rankers.microbatch import budget
from synthrank.rankers.points import PointsCallback
from synthrank.rankers.relevance import Relevance
from synthrank.rankers.shapes import ROW, contrastive, listwise, pairs_of
from synthrank.rankers.trainers import ResumableTrainer, is_first
from synthrank.rankers.training import run_training
from synthrank.records import Group
from synthrank.specs.rankers import BiEncoderRanker
from synthrank.vectors import cut_to, open_bi_encoder
from synthrank.weights import refuse_long

LIBRARY: dict[str, Callable[..., Any]] = {
    "multiple-negatives": MaskedNegatives,
    "cached-multiple-negatives": CachedMaskedNegatives,
}
"""Losses over the passages of a batch."""

PASSAGES_AT_ONCE = 4096
"""Candidates encoded between two signs of progress: sorting by length pays."""


class VectorTrainer(ResumableTrainer, SentenceTransformerTrainer):  # type: ignore[misc]  # the library is untyped
    """The library's trainer, resumable."""


def train_bi_encoder(
    spec: BiEncoderRanker,
    base: Path,
    groups: Sequence[Group],
    seed: int,
    checkpoint: Path,
    state: Path | None = None,
    points: Path | None = None,
) -> TrainingLog:
    """Train a bi-encoder and save it.

    Args:
        spec: the ranker.
        base: the model to start from.
        groups: the training set; labels 0 and 1 where the loss is over the passages of a batch.
        seed: seeds the order of the data and the dropout.
        checkpoint: the new folder.
        state: where a killed training is resumed from; none keeps no state.
        points: gets the model of each point of ``selection``; none keeps none.
    """
    seed_everything(seed)
    model = open_bi_encoder(base, pooling=spec.pooling)
    refuse_long(model.transformers_model, base, spec.longest)
    cut_to(model, spec.max_length)
    add_adapters(model, spec.lora)
    prepare = _by_batch if spec.loss in LIBRARY else _by_list
    data, options, parts, relevance = prepare(spec, model, groups)

    def arguments(**settings: Any) -> Any:
        return SentenceTransformerTrainingArguments(**settings, **options)

    def save(folder: Path) -> None:
        merged(model, spec.lora).save_pretrained(str(folder), create_model_card=False, safe_serialization=True)

    kept = [] if points is None else [PointsCallback(spec, points, save)]
    parts = {"model": model, "train_dataset": data, **parts}
    log = run_training(VectorTrainer, arguments, parts, spec, seed, state, kept, relevance)
    if not is_first():
        return log
    save(checkpoint)
    passages = [spec.passage_prefix + passage for _, passage in pairs_of(data)]
    cut = texts_cut(model.tokenizer, spec.max_length, passages)
    return replace(log, pairs=len(passages), pairs_cut=cut)


Prepared = tuple[Dataset, dict[str, Any], dict[str, Any], Relevance | None]
"""Data, what the trainer's arguments and the trainer itself take for it, and what is relevant in a batch."""


def _by_batch(spec: BiEncoderRanker, model: SentenceTransformer, groups: Sequence[Group]) -> Prepared:
    data, relevance = contrastive(groups, spec)
    prefixes = {name: spec.passage_prefix for name in data.column_names if name != ROW} | {"query": spec.query_prefix}
    # Every GPU's passages are negatives of every query, as they are in the whole batch on one.
    loss = LIBRARY[spec.loss](model, relevance, scale=1 / spec.temperature, gather_across_devices=spec.gpus > 1)
    return data, {"prompts": prefixes}, {"loss": loss}, relevance


def _by_list(spec: BiEncoderRanker, model: SentenceTransformer, groups: Sequence[Group]) -> Prepared:
    limit = budget(device(), spec.eval_batch_size, spec.max_length)
    loss = SimilarityListLoss(model, list_function(spec.loss, spec.weighing), spec.temperature, limit)
    return listwise(groups, spec), {}, {"loss": loss, "data_collator": ListCollator(model, spec)}, None
