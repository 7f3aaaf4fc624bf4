"""What a trainer of sentence-transformers lacks to be resumed exactly, and what is shown and measured meanwhile."""

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

from synthrank.errors import ConfigError
from synthrank.files import atomic_path, atomic_text
from synthrank.progress import Progress
from synthrank.rankers.distributed import is_first
from synthrank.rankers.states import COMPLETE
from synthrank.specs.rankers import RankerSpec
from synthrank.texts import chunks


class ResumableTrainer:
    """Put before a trainer of the library: its states hold the weights alone, in safetensors.

    As they are, the trainers save a whole model, with code to import, and their arguments as a pickle.
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
    """Shows a trainer's updates as every other step shows its progress, and measures them."""

    def __init__(self) -> None:
        self.resumed_at = self.updates = 0
        self.seconds = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start to count."""
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
        """Mark the state that was just written as complete, once every process has written its part."""
        if distributed.is_initialized():
            distributed.barrier()
        if not is_first():
            return
        with atomic_text(Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE):
            pass

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop to count."""
        self._progress.__exit__(None, None, None)


class PointsCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Writes the model at every point of ``selection``, as ``update-N`` of a folder.

    The model is written before the trainer's state of the same update: a training that is resumed finds the models of
    all points before its state.
    """

    def __init__(self, spec: RankerSpec, folder: Path, save: Callable[[Path], None]) -> None:
        """Take what is trained.

        Args:
            spec: the ranker, with ``selection``.
            folder: where the models go.
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
        """Write the model, if this is a point."""
        if state.global_step in self._due and is_first():
            with atomic_path(self._folder / f"update-{state.global_step}") as folder:
                self._save(folder)


def points_of(spec: RankerSpec, updates: int) -> set[int]:
    """Return the updates after which a training is measured.

    Args:
        spec: the ranker, with ``selection``; a point in epochs is the first update at which so many are over.
        updates: how many the training has.

    Raises:
        ConfigError: a point is beyond the end of the training.
    """
    selection = spec.selection
    if selection is None:
        return set()
    if selection.updates and selection.updates[-1] > updates:
        raise ConfigError(
            f"selection.updates: {selection.updates[-1]} is beyond the {updates} updates of this training; state "
            "points within it, or train longer"
        )
    if selection.updates:
        return set(selection.updates)
    # Rounded before it is rounded up: two thirds of 15 updates are 10, whatever the last digit of the product says.
    whole = spec.optimiser.epochs or 1.0  # the file is refused where it states points in epochs, and none here
    return {max(1, math.ceil(round(updates * item / whole, 6))) for item in selection.epochs}


class StopCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Ends a training that is told to end, with a state of its last update; schedulers send SIGTERM before SIGKILL.

    The library's own ``enable_jit_checkpoint`` waits for seconds, saves between gradient and update, where random
    numbers are ahead of the weights, and does not agree with other processes on the update.
    """

    def __init__(self) -> None:
        self.told = False
        self.stopped_at: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take note of SIGTERM while the block runs, in place of being ended by it."""

        def note(_: int, __: FrameType | None) -> None:
            self.told = True

        before = signal.signal(signal.SIGTERM, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """End here if any process was told to; after the last update there is nothing left to save."""
        if self._anyone_told(args.device) and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = True
            self.stopped_at = state.global_step

    def _anyone_told(self, device: torch.device) -> bool:
        if not distributed.is_initialized():
            return self.told
        told = torch.tensor(float(self.told), device=device)
        distributed.all_reduce(told)
        return bool(told)


class ApartCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Gives every process random numbers of its own: else all would drop the same units out of different texts."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Seed anew where there are several; a state that is resumed brings its own."""
        if args.process_index:
            torch.manual_seed(args.seed + args.process_index)


class FilledBatches(BatchSampler):  # type: ignore[misc]  # torch is not followed
    """Batches of several processes, all full, in the order in which one process has them.

    The library would drop what fills no batch on every process. Here the first rows of an epoch fill it, so that
    there are as many updates as on one GPU.
    """

    def __init__(self, dataset: Any, *, processes: int, batch_size: int, generator: torch.Generator, **_: Any) -> None:
        """Take what the library hands to a batch sampler.

        Args:
            dataset: the rows.
            processes: how many share them.
            batch_size: rows of one process.
            generator: orders the rows.
        """
        super().__init__(RandomSampler(dataset, generator=generator), batch_size, drop_last=True)
        self.processes = processes

    def __len__(self) -> int:
        """Return the batches of all processes."""
        batches: int = -(-len(self.sampler) // (self.batch_size * self.processes)) * self.processes
        return batches

    def __iter__(self) -> Iterator[list[int]]:
        """Yield rows: of the first process, of the second, …, of the first again."""
        rows = list(self.sampler)  # to its end, as one process reads it: that draws once more
        yield from chunks(islice(cycle(rows), len(self) * self.batch_size), self.batch_size)


def peak_memory_mb() -> float:
    """Return the most memory that was in use, in 10^6 bytes: the GPU's, or on a CPU the process's."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts in units of 1024 bytes
