"""Bi-encoders by sentence-transformers: the score is the cosine of a query vector and a passage vector."""

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

from synthrank.config.rankers import BiEncoderRanker
from synthrank.data.records import Group
from synthrank.rankers.adapters import add_adapters, merge_adapters
from synthrank.rankers.base import Training, TrainingLog
from synthrank.rankers.batching import budget
from synthrank.rankers.datasets import ROW, contrastive_dataset, count_cut, listwise_dataset, pairs_of
from synthrank.rankers.distributed import is_first
from synthrank.rankers.in_batch import CachedMaskedNegatives, MaskedNegatives
from synthrank.rankers.listwise import ListCollator, SimilarityListLoss
from synthrank.rankers.losses import list_function
from synthrank.rankers.relevance import Relevance
from synthrank.rankers.trainers import ResumableTrainer
from synthrank.rankers.training import run_training
from synthrank.runtime.model_checks import refuse_long
from synthrank.runtime.torch_setup import device, seed_everything
from synthrank.vectors.encoder import cut_to, open_bi_encoder, remember_tokens

LIBRARY: dict[str, Callable[..., Any]] = {
    "multiple-negatives": MaskedNegatives,
    "cached-multiple-negatives": CachedMaskedNegatives,
}
"""Losses over the passages of a batch."""


class VectorTrainer(ResumableTrainer, SentenceTransformerTrainer):  # type: ignore[misc]  # the library is untyped
    """The library's trainer with resumable states."""


def train_bi_encoder(spec: BiEncoderRanker, job: Training, checkpoint: Path) -> TrainingLog:
    """Train a bi-encoder and save it; losses over the passages of a batch need the labels 0 and 1."""
    seed_everything(job.seed)
    model = open_bi_encoder(job.base, pooling=spec.pooling, prefixes=(spec.query_prefix, spec.passage_prefix))
    refuse_long(model.transformers_model, job.base, spec.longest)
    cut_to(model, spec.max_length)
    add_adapters(model, spec.lora)
    prepare = _prepare_batches if spec.loss in LIBRARY else _prepare_lists
    data, options, parts, relevance = prepare(spec, model, job.groups)

    def save(folder: Path) -> None:
        merge_adapters(model, spec.lora).save_pretrained(str(folder), create_model_card=False, safe_serialization=True)

    arguments = partial(SentenceTransformerTrainingArguments, **options)
    parts = {"model": model, "train_dataset": data, **parts}
    with remember_tokens(model):
        log = run_training(spec, job, VectorTrainer, arguments, parts, save, relevance)
    if not is_first():
        return log
    save(checkpoint)
    passages = [spec.passage_prefix + passage for _, passage in pairs_of(data)]
    return replace(log, pairs=len(passages), pairs_cut=count_cut(model.tokenizer, spec.max_length, passages))


Prepared = tuple[Dataset, dict[str, Any], dict[str, Any], Relevance | None]
"""Training data, additional training arguments, additional arguments of the trainer, relevant passages of a batch."""


def _prepare_batches(spec: BiEncoderRanker, model: SentenceTransformer, groups: Sequence[Group]) -> Prepared:
    data, relevance = contrastive_dataset(groups, spec)
    prefixes = {name: spec.passage_prefix for name in data.column_names if name != ROW} | {"query": spec.query_prefix}
    # As in a batch on one GPU, the passages of all GPUs are negatives of every query.
    loss = LIBRARY[spec.loss](model, relevance, scale=1 / spec.temperature, gather_across_devices=spec.gpus > 1)
    return data, {"prompts": prefixes}, {"loss": loss}, relevance


def _prepare_lists(spec: BiEncoderRanker, model: SentenceTransformer, groups: Sequence[Group]) -> Prepared:
    limit = budget(device(), spec.eval_batch_size, spec.max_length)
    loss = SimilarityListLoss(model, list_function(spec.loss, spec.weighing), spec.temperature, limit)
    return listwise_dataset(groups, spec), {}, {"loss": loss, "data_collator": ListCollator(model, spec)}, None
