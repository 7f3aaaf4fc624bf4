"""Bi-encoders by sentence-transformers: a vector for the query, one for the passage, their cosine as the score."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
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
from synthrank.rankers.base import Training, TrainingLog
from synthrank.rankers.distributed import is_first
from synthrank.rankers.in_batch import CachedMaskedNegatives, MaskedNegatives
from synthrank.rankers.listwise import ListCollator, SimilarityListLoss
from synthrank.rankers.losses import list_function
from synthrank.rankers.microbatch import budget
from synthrank.rankers.relevance import Relevance
from synthrank.rankers.shapes import ROW, contrastive, count_cut, listwise, pairs_of
from synthrank.rankers.trainers import ResumableTrainer
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


class VectorTrainer(ResumableTrainer, SentenceTransformerTrainer):  # type: ignore[misc]  # the library is untyped
    """The library's trainer, resumable."""


def train_bi_encoder(spec: BiEncoderRanker, job: Training, checkpoint: Path) -> TrainingLog:
    """Train a bi-encoder and save it; labels are 0 and 1 if the loss is over the passages of a batch."""
    seed_everything(job.seed)
    model = open_bi_encoder(job.base, pooling=spec.pooling)
    refuse_long(model.transformers_model, job.base, spec.longest)
    cut_to(model, spec.max_length)
    add_adapters(model, spec.lora)
    prepare = _by_batch if spec.loss in LIBRARY else _by_list
    data, options, parts, relevance = prepare(spec, model, job.groups)

    def save(folder: Path) -> None:
        merged(model, spec.lora).save_pretrained(str(folder), create_model_card=False, safe_serialization=True)

    arguments = partial(SentenceTransformerTrainingArguments, **options)
    parts = {"model": model, "train_dataset": data, **parts}
    log = run_training(spec, job, VectorTrainer, arguments, parts, save, relevance)
    if not is_first():
        return log
    save(checkpoint)
    passages = [spec.passage_prefix + passage for _, passage in pairs_of(data)]
    return replace(log, pairs=len(passages), pairs_cut=count_cut(model.tokenizer, spec.max_length, passages))


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
