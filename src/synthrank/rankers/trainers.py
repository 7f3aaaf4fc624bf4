"""Exact resumption for the trainers of sentence-transformers, and callbacks for progress, measurements and stops."""

import math
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from torch import distributed
from torch.utils.data import BatchSampler, RandomSampler
from transformers import TrainerCallback

from synthrank.config.rankers import RankerSpec
from synthrank.data.files import atomic_path, atomic_text
from synthrank.data.passage_texts import split_into_batches
from synthrank.errors import ConfigError
from synthrank.rankers.distributed import is_first
from synthrank.rankers.resume import COMPLETE
from synthrank.runtime.progress import Progress


class ResumableTrainer:
    """Mixin for a trainer of the library: its states contain only the weights, as safetensors.

    The library's trainers save a whole model with code to import, and their arguments as a pickle.
    """

    model: Any
    args: Any

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.model, str(folder / "model.safetensors"))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_model(self.model, Path(resume_from_checkpoint) / "model.safetensors")


class ProgressCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Show the progress of a training and measure the time of its updates."""

    def __init__(self) -> None:
        self.resumed_at = self.updates = 0
        self.seconds = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the progress and the clock."""
        self._progress = Progress(state.max_steps, "updates").__enter__()
        self.resumed_at = state.global_step
        if state.global_step:
            self._progress.advance(state.global_step)
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        self._begin = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Count one update."""
        self._progress.advance()
        self.updates += 1
        self.seconds = time.perf_counter() - self._begin

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Mark the new state as complete after every process has written its part."""
        if distributed.is_initialized():
            distributed.barrier()
        if not is_first():
            return
        with atomic_text(Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE):
            pass

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End the progress."""
        self._progress.__exit__(None, None, None)


class PointsCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Write the model at every point of ``selection``, as ``update-N`` in a folder.

    The model is written before the trainer's state of the same update, so a resumed training finds the models of all
    points before its state.
    """

    def __init__(self, spec: RankerSpec, folder: Path, save: Callable[[Path], None]) -> None:
        """Initialise the callback.

        Args:
            spec: the ranker, with ``selection``.
            folder: the folder of the models.
            save: writes the model into a new folder.
        """
        self._spec, self._folder, self._save = spec, folder, save
        self._due: set[int] = set()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Find the updates of the points.

        Raises:
            ConfigError: a point is beyond the end of the training.
        """
        self._due = points_of(self._spec, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the model at a point of the selection."""
        if state.global_step in self._due and is_first():
            with atomic_path(self._folder / f"update-{state.global_step}") as folder:
                self._save(folder)


def points_of(spec: RankerSpec, updates: int) -> set[int]:
    """Return the updates after which a training is evaluated.

    Args:
        spec: the ranker, with ``selection``; a point in epochs is the first update at which these epochs are complete.
        updates: the number of updates of the training.

    Raises:
        ConfigError: a point is beyond the end of the training.
    """
    selection = spec.selection
    if selection is None:
        return set()
    if selection.updates and selection.updates[-1] > updates:
        raise ConfigError(
            f"selection.updates: {selection.updates[-1]} exceeds the {updates} updates of this training; set smaller "
            "points, or train longer"
        )
    if selection.updates:
        return set(selection.updates)
    # Rounding to 6 digits first gives 10 for two thirds of 15 updates, despite the error of the product.
    whole = spec.optimiser.epochs or 1.0  # always set: points in epochs without optimiser.epochs are refused
    return {max(1, math.ceil(round(updates * item / whole, 6))) for item in selection.epochs}


class StopCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Save the state and stop the training on SIGTERM, which schedulers send before SIGKILL.

    The library's ``enable_jit_checkpoint`` waits for seconds, saves between gradient and update, where the random state
    is ahead of the weights, and does not agree on an update with the other processes.
    """

    def __init__(self) -> None:
        self.requested = False
        self.stopped_at: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Record SIGTERM while the block runs, without ending the process."""

        def note(_: int, __: FrameType | None) -> None:
            self.requested = True

        before = signal.signal(signal.SIGTERM, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop if any process received SIGTERM, except after the last update."""
        if self._any_requested(args.device) and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = True
            self.stopped_at = state.global_step

    def _any_requested(self, device: torch.device) -> bool:
        if not distributed.is_initialized():
            return self.requested
        requested = torch.tensor(float(self.requested), device=device)
        distributed.all_reduce(requested)
        return bool(requested)


class ApartCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Seed each process differently; otherwise dropout would drop the same units on all GPUs."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seed all processes but the first; a resumed state contains the random state."""
        if args.process_index:
            torch.manual_seed(args.seed + args.process_index)


class FilledBatches(BatchSampler):  # type: ignore[misc]  # torch is not followed
    """Full batches for several processes, in the order of one process.

    The library drops the last rows if they do not fill a batch of every process. Here the first rows of the epoch fill
    the last batches, so the number of updates is the same as on one GPU.
    """

    def __init__(self, dataset: Any, *, processes: int, batch_size: int, generator: torch.Generator, **_: Any) -> None:
        """Initialise the sampler with the arguments of the library.

        Args:
            dataset: the rows.
            processes: number of processes that share the rows.
            batch_size: rows per process.
            generator: random numbers for the order of the rows.
        """
        super().__init__(RandomSampler(dataset, generator=generator), batch_size, drop_last=True)
        self.processes = processes

    def __len__(self) -> int:
        """Return the number of batches of all processes."""
        batches: int = -(-len(self.sampler) // (self.batch_size * self.processes)) * self.processes
        return batches

    def __iter__(self) -> Iterator[list[int]]:
        """Yield rows: of the first process, of the second, …, of the first again."""
        rows = list(self.sampler)  # exhausts the sampler, as one process does, which draws a last random number
        yield from split_into_batches(islice(cycle(rows), len(self) * self.batch_size), self.batch_size)


def peak_memory_mb() -> float:
    """Return the peak memory in 10^6 bytes, of the GPU, or of the process on a CPU."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux reports units of 1024 bytes
