"""What the trainers of both architectures share: arguments, data in columns, progress, the loss curve."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import TrainerCallback

from synthrank.devices import device
from synthrank.errors import ModelError
from synthrank.progress import Progress
from synthrank.rankers.base import TrainingLog
from synthrank.records import Candidate, Group
from synthrank.specs.rankers import BiEncoderRanker, CrossEncoderRanker

CURVE_POINTS = 50
"""Points of a loss curve."""


def trainer_arguments(
    spec: BiEncoderRanker | CrossEncoderRanker, examples: int, seed: int, folder: Path
) -> dict[str, Any]:
    """Return the arguments that both sentence-transformers trainers take.

    Args:
        spec: the ranker.
        examples: rows of the training data.
        seed: seeds the order of the data and the dropout.
        folder: where the trainer may write while it runs.
    """
    settings = spec.optimiser
    updates = _updates(spec, examples)
    return {
        "output_dir": str(folder),
        "num_train_epochs": settings.epochs,
        "per_device_train_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.accumulation,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.schedule,
        "warmup_steps": math.ceil(updates * settings.warmup),
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "bf16": spec.bf16,
        "use_cpu": device() == "cpu",  # without it the library refuses bf16 on a CPU
        "seed": seed,
        "data_seed": seed,
        "logging_steps": max(1, updates // CURVE_POINTS),
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def _updates(spec: BiEncoderRanker | CrossEncoderRanker, examples: int) -> int:
    settings = spec.optimiser
    batches = math.ceil(examples / settings.batch_size)
    return max(1, math.ceil(math.ceil(batches / settings.accumulation) * settings.epochs))


class ProgressCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Shows a trainer's updates as every other step shows its progress."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start to count."""
        self._progress = Progress(state.max_steps, "updates").__enter__()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Count one update."""
        self._progress.advance()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop to count."""
        self._progress.__exit__(None, None, None)


def training_log(history: Iterable[dict[str, Any]], updates: int) -> TrainingLog:
    """Return the loss curve out of a trainer's history.

    Raises:
        ModelError: a loss is not a finite number.
    """
    losses = tuple((int(entry["step"]), float(entry["loss"])) for entry in history if "loss" in entry)
    for step, loss in losses:
        if not math.isfinite(loss):
            raise ModelError(f"update {step}: the loss is {loss}; lower optimiser.learning_rate or switch bf16 off")
    return TrainingLog(losses, updates)


def listwise(groups: Sequence[Group], spec: CrossEncoderRanker) -> Dataset:
    """Return one row a group: query, its passages, their labels."""
    kept = [_kept(group, spec.negatives) for group in groups]
    return Dataset.from_dict(
        {
            "query": [group.query for group in groups],
            "passages": [[item.text for item in items] for items in kept],
            "labels": [[item.label for item in items] for items in kept],
        }
    )


def pointwise(groups: Sequence[Group], spec: CrossEncoderRanker) -> Dataset:
    """Return one row a candidate: query, passage, label."""
    rows = [(group.query, item.text, item.label) for group in groups for item in _kept(group, spec.negatives)]
    queries, passages, labels = zip(*rows, strict=True)
    return Dataset.from_dict({"query": queries, "passage": passages, "label": labels})


def contrastive(groups: Sequence[Group], spec: BiEncoderRanker | CrossEncoderRanker) -> Dataset:
    """Return one row a positive: query, positive, and one column for each negative.

    Raises:
        ModelError: labels are not 0 and 1, a group has no positive, or the groups differ in negatives.
    """
    rows = []
    for group in groups:
        if {item.label for item in group.candidates} - {0.0, 1.0}:
            raise ModelError(f"query {group.query_id}: graded labels; {spec.loss} needs positives and negatives")
        positives = [item.text for item in group.candidates if item.label > 0]
        negatives = [item.text for item in _kept(group, spec.negatives) if item.label == 0]
        if not positives:
            raise ModelError(f"query {group.query_id}: no positive; {spec.loss} needs one")
        rows += [[group.query, positive, *negatives] for positive in positives]
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise ModelError(
            f"groups have {min(widths) - 2} to {max(widths) - 2} negatives; {spec.loss} needs equal numbers"
        )
    names = ["query", "positive", *(f"negative_{place}" for place in range(1, widths.pop() - 1))]
    return Dataset.from_dict(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def _kept(group: Group, negatives: int | None) -> list[Candidate]:
    """Return a group's candidates with at most ``negatives`` of label 0; graded groups are cut at the end."""
    positives = [item for item in group.candidates if item.label > 0]
    others = [item for item in group.candidates if item.label <= 0]
    return positives + others[:negatives]
