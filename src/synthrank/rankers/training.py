"""What the trainings of all architectures share: the trainer's arguments, its run, the loss curve."""

import logging
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from synthrank.devices import device, has_bfloat16
from synthrank.errors import ModelError, StoppedError
from synthrank.rankers.base import TrainingLog
from synthrank.rankers.states import KEPT, last_complete
from synthrank.rankers.trainers import ApartCallback, FilledBatches, ProgressCallback, StopCallback, peak_memory_mb
from synthrank.specs.rankers import BiEncoderRanker, Reranker

CURVE_POINTS = 50
"""Points of a loss curve."""

_log = logging.getLogger(__name__)


def run_training(
    trainer: Callable[..., Any],
    arguments: Callable[..., Any],
    parts: dict[str, Any],
    spec: BiEncoderRanker | Reranker,
    seed: int,
    state: Path | None,
    watchers: Sequence[Any] = (),
) -> TrainingLog:
    """Train a model in place.

    Args:
        trainer: the trainer's class.
        arguments: the class of its arguments.
        parts: what the trainer takes beside them: model, data and loss, and what an architecture adds.
        spec: the ranker.
        seed: seeds the order of the data and the dropout.
        state: where a killed training is resumed from, if ``optimiser.save_every`` is set; none keeps no state.
        watchers: further callbacks of the trainer, before those that save states.

    Raises:
        StoppedError: the job was told to end; the state of its last update is kept.
        ModelError: a loss is not a finite number.
    """
    progress, stop = ProgressCallback(), StopCallback()
    state = state if spec.optimiser.save_every else None
    if spec.optimiser.gradient_checkpointing:
        parts["model"].transformers_model.activation_checkpointing_enable()
    with _folder(state) as folder:
        settings = trainer_arguments(spec, len(parts["train_dataset"]), seed, folder, resumable=state is not None)
        given = arguments(**settings)
        given._n_gpu = min(given.n_gpu, 1)  # or the library would give a batch to each GPU that it sees
        made = trainer(**parts, args=given, callbacks=[*watchers, progress, stop, ApartCallback()])
        begin = last_complete(folder)
        if begin:
            _log.info("resumed from %s", begin)
        with stop.listening() if state is not None else nullcontext():
            result = made.train(resume_from_checkpoint=str(begin) if begin else None)
    if stop.stopped_at is not None:
        raise StoppedError(f"told to end after update {stop.stopped_at}; the same command goes on from there")
    losses = loss_curve(made.state.log_history)
    return TrainingLog(
        losses,
        result.global_step,
        seconds_per_update=progress.seconds / max(1, progress.updates),
        peak_memory_mb=peak_memory_mb(),
        resumed_at=progress.resumed_at,
    )


@contextmanager
def _folder(state: Path | None) -> Iterator[Path]:
    if state is not None:
        yield state
    else:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)


def trainer_arguments(
    spec: BiEncoderRanker | Reranker, examples: int, seed: int, folder: Path, *, resumable: bool = False
) -> dict[str, Any]:
    """Return the arguments that the trainers of all architectures take.

    Args:
        spec: the ranker.
        examples: rows of the training data.
        seed: seeds the order of the data and the dropout.
        folder: where the trainer may write while it runs.
        resumable: whether it keeps states there.
    """
    settings = spec.optimiser
    updates = _updates(spec, examples)
    duration = {"max_steps": updates} if settings.max_updates else {"num_train_epochs": settings.epochs}
    shared = {"batch_sampler": partial(FilledBatches, processes=spec.gpus), "dataloader_drop_last": True}
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
        "use_cpu": device() == "cpu",  # without it the library refuses bf16 on a CPU
        "seed": seed,
        "data_seed": seed,
        "logging_steps": max(1, updates // CURVE_POINTS),
        **(shared if spec.gpus > 1 else {}),
        **(saving if resumable else {"save_strategy": "no"}),
        "report_to": "none",
        "disable_tqdm": True,
    }


def _updates(spec: BiEncoderRanker | Reranker, examples: int) -> int:
    settings = spec.optimiser
    if settings.epochs is None:
        return int(settings.max_updates or 0)
    batches = math.ceil(examples / settings.batch_size)
    return max(1, math.ceil(math.ceil(batches / settings.accumulation) * settings.epochs))


def loss_curve(history: Iterable[dict[str, Any]]) -> tuple[tuple[int, float], ...]:
    """Return the (update, loss) pairs of a trainer's history.

    Raises:
        ModelError: a loss is not a finite number.
    """
    losses = tuple((int(entry["step"]), float(entry["loss"])) for entry in history if "loss" in entry)
    for step, loss in losses:
        if not math.isfinite(loss):
            raise ModelError(f"update {step}: the loss is {loss}; lower optimiser.learning_rate or switch bf16 off")
    return losses
