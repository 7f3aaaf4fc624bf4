"""The training of all architectures: arguments of the trainer, the training itself, and the loss curve."""

import logging
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from synthrank.config.rankers import BiEncoderRanker, Reranker
from synthrank.errors import ModelError, StoppedError
from synthrank.rankers.base import Training, TrainingLog
from synthrank.rankers.in_batch import ApartBatches, all_rows_masked
from synthrank.rankers.relevance import Relevance
from synthrank.rankers.resume import KEPT, last_complete
from synthrank.rankers.trainers import (
    ApartCallback,
    FilledBatches,
    PointsCallback,
    ProgressCallback,
    StopCallback,
    peak_memory_mb,
)
from synthrank.runtime.model_checks import refuse_infinite
from synthrank.runtime.torch_setup import device, has_bfloat16

REMEDY = "lower optimiser.learning_rate or switch bf16 off"

CURVE_POINTS = 50
"""Points of a loss curve."""

LONGEST_WAIT_S = 7 * 24 * 3600
"""More seconds than any job runs."""

_log = logging.getLogger(__name__)


def run_training(
    spec: BiEncoderRanker | Reranker,
    job: Training,
    trainer: Callable[..., Any],
    arguments: Callable[..., Any],
    parts: dict[str, Any],
    save: Callable[[Path], None],
    relevance: Relevance | None = None,
) -> TrainingLog:
    """Train a model in place.

    Args:
        spec: the ranker.
        job: seed, and the folders of states and points.
        trainer: the trainer's class.
        arguments: the class of the trainer's arguments.
        parts: the trainer's other inputs: model, data, loss, and additions of an architecture.
        save: writes the current model into a new folder, at a point of ``selection``.
        relevance: the relevant passages of the rows, if the loss is over the passages of a batch.

    Raises:
        StoppedError: the job received SIGTERM; the state of its last update is kept.
        ModelError: a loss or a weight is not a finite number.
    """
    progress, stop = ProgressCallback(), StopCallback()
    points = [] if job.points is None else [PointsCallback(spec, job.points, save)]
    if spec.optimiser.gradient_checkpointing:
        parts["model"].transformers_model.activation_checkpointing_enable()
    with _folder(job.state) as folder:
        rows = len(parts["train_dataset"])
        settings = trainer_arguments(spec, rows, job.seed, folder, relevance, resumable=job.state is not None)
        given = arguments(**settings)
        given._n_gpu = min(given.n_gpu, 1)  # otherwise, the library sends a batch to every visible GPU
        watching = [*points, progress, stop, ApartCallback(), FiniteCallback()]
        made = trainer(**parts, args=given, callbacks=watching)
        begin = last_complete(folder)
        if begin:
            _log.info("resumed from %s", begin)
        with stop.listening() if job.state is not None else nullcontext():
            result = made.train(resume_from_checkpoint=str(begin) if begin else None)
    if stop.stopped_at is not None:
        raise StoppedError(f"SIGTERM: stopped after update {stop.stopped_at}; run the same command to resume")
    losses = loss_curve(made.state.log_history)
    check_loss(result.global_step, result.training_loss)  # includes the updates after the last point of the curve
    last = f"after update {result.global_step}, at a loss of {losses[-1][1] if losses else result.training_loss:g}"
    refuse_infinite(parts["model"], last, REMEDY)
    return TrainingLog(
        losses,
        result.global_step,
        seconds_per_update=progress.seconds / max(1, progress.updates),
        peak_memory_mb=peak_memory_mb(),
        resumed_at=progress.resumed_at,
        rows_masked=all_rows_masked(relevance, device()) if relevance else 0,
    )


@contextmanager
def _folder(state: Path | None) -> Iterator[Path]:
    if state is not None:
        yield state
    else:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)


def trainer_arguments(
    spec: BiEncoderRanker | Reranker,
    examples: int,
    seed: int,
    folder: Path,
    relevance: Relevance | None = None,
    *,
    resumable: bool = False,
) -> dict[str, Any]:
    """Return the arguments that the trainers of all architectures take.

    Args:
        spec: the ranker.
        examples: rows of the training set.
        seed: seed of the order of the data and of the dropout.
        folder: the trainer's folder.
        relevance: the relevant passages of the rows, if the loss is over the passages of a batch.
        resumable: whether the trainer keeps states in ``folder``.
    """
    settings = spec.optimiser
    updates = settings.updates(examples)
    duration = {"max_steps": updates} if settings.max_updates else {"num_train_epochs": settings.epochs}
    batches = partial(ApartBatches, relevance=relevance) if relevance else FilledBatches
    sampling = {"batch_sampler": partial(batches, processes=spec.gpus), "dataloader_drop_last": spec.gpus > 1}
    saving = {"save_strategy": "steps", "save_steps": settings.save_every, "save_total_limit": KEPT}
    return {
        "output_dir": str(folder),
        **duration,
        "per_device_train_batch_size": settings.batch_size // spec.gpus,
        "gradient_accumulation_steps": settings.accumulation,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.schedule,
        "warmup_steps": math.ceil(updates * settings.warmup),
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "bf16": spec.bf16 and has_bfloat16(),
        "use_cpu": device() == "cpu",  # otherwise, the library refuses bf16 on a CPU
        "seed": seed,
        "data_seed": seed,
        "logging_steps": max(1, updates // CURVE_POINTS),
        # The other processes wait while the first process evaluates the points of a selection.
        **({"ddp_timeout": LONGEST_WAIT_S} if spec.selection else {}),
        "logging_nan_inf_filter": False,  # the filter replaces a NaN by the mean of earlier losses
        **(sampling if spec.gpus > 1 or relevance else {}),
        **(saving if resumable else {"save_strategy": "no"}),
        "report_to": "none",
        "disable_tqdm": True,
    }


def loss_curve(history: Iterable[dict[str, Any]]) -> tuple[tuple[int, float], ...]:
    """Return the (update, loss) pairs of a trainer's history.

    Raises:
        ModelError: a loss is not a finite number.
    """
    losses = tuple((int(entry["step"]), float(entry["loss"])) for entry in history if "loss" in entry)
    for step, loss in losses:
        check_loss(step, loss)
    return losses


class FiniteCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Stop a diverged training at the next point of its loss curve."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Check the loss."""
        check_loss(state.global_step, (logs or {}).get("loss", 0.0))


def check_loss(update: int, loss: float) -> None:
    """Raise ModelError unless a loss is a finite number."""
    if not math.isfinite(loss):
        raise ModelError(f"update {update}: the loss is {loss}; {REMEDY}")
