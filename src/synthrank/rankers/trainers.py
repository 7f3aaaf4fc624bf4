"""What a trainer of sentence-transformers lacks to be resumed exactly, and what is shown and measured meanwhile."""

import resource
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from transformers import TrainerCallback

from synthrank.files import atomic_text
from synthrank.progress import Progress
from synthrank.rankers.states import COMPLETE


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
        """Mark the state that was just written as complete."""
        with atomic_text(Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE):
            pass

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Stop to count."""
        self._progress.__exit__(None, None, None)


def peak_memory_mb() -> float:
    """Return the most memory that was in use, in 10^6 bytes: the GPU's, or on a CPU the process's."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts in units of 1024 bytes
