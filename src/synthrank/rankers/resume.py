"""States from which a killed training resumes, in a folder next to the checkpoint.

``.seed-1.state-HASH/checkpoint-N/`` contains weights, optimiser, schedule and random states after N updates. The hash
covers data, settings, seed and base model, so a training never resumes from a state of other data or settings.
"""

import hashlib
import shutil
from pathlib import Path

from synthrank.data.files import sha256_of
from synthrank.rankers.distributed import is_first

COMPLETE = "complete"
"""The file that marks a state as completely written."""

KEPT = 2
"""Number of states that the trainer keeps: the newest, and the state before it while the newest is being written."""

NOT_READ = ("training.json", "source.json")
"""Files of a base model with its source and its training times, which do not affect a training."""


def state_of(checkpoint: Path, settings: str, trainset: Path, base: Path, seed: int) -> Path:
    """Return the folder of a training's states.

    Args:
        checkpoint: the folder of the trained ranker.
        settings: the ranker's settings, as text.
        trainset: the file of groups.
        base: the folder of the model to start from.
        seed: the training seed.
    """
    digest = hashlib.sha256(f"{settings}\0{seed}\0{sha256_of(trainset)}".encode())
    for path in sorted(base.rglob("*")):
        if path.suffix in (".safetensors", ".json", ".txt", ".model") and path.name not in NOT_READ:
            digest.update(f"\0{path.relative_to(base)}\0{sha256_of(path)}".encode())
    return checkpoint.parent / f".{checkpoint.name}.state-{digest.hexdigest()[:16]}"


def remove_states(checkpoint: Path, but: Path | None = None) -> None:
    """Remove the states of a checkpoint, except the folder ``but``."""
    for path in checkpoint.parent.glob(f".{checkpoint.name}.state-*"):
        if path != but:
            shutil.rmtree(path)


def last_complete(state: Path) -> Path | None:
    """Return the newest complete state of a folder (``None`` without a state), and remove incomplete states."""
    complete = []
    for path in state.glob("checkpoint-*"):
        if (path / COMPLETE).is_file():
            complete.append(path)
        elif is_first():
            shutil.rmtree(path)
    return max(complete, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)
