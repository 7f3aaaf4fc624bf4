"""Where a killed training is resumed from: the trainer's states, beside the checkpoint that is being made.

``.seed-1.state-HASH/checkpoint-N/`` holds weights, optimiser, schedule and random numbers after N updates. The hash
covers all that the weights follow from, so that a state of other data or settings is never taken up.
"""

import hashlib
import shutil
from pathlib import Path

from synthrank.files import sha256_of
from synthrank.rankers.distributed import is_first

COMPLETE = "complete"
"""The file whose presence says that a state was written to its end."""

KEPT = 2
"""States that the trainer keeps: while the newest is being written the one before it must stay."""

NOT_READ = ("training.json", "source.json")
"""Files of a base model that say where it comes from and how long that took; they do not change what is learnt."""


def state_of(checkpoint: Path, settings: str, trainset: Path, base: Path, seed: int) -> Path:
    """Return the folder of a training's states.

    Args:
        checkpoint: what is being trained.
        settings: of the ranker, as text.
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
    """Remove the states of a checkpoint, all or all ``but`` one folder."""
    for path in checkpoint.parent.glob(f".{checkpoint.name}.state-*"):
        if path != but:
            shutil.rmtree(path)


def last_complete(state: Path) -> Path | None:
    """Return the newest whole state of a folder, and remove the torn ones; None if there is no state."""
    whole = []
    for path in state.glob("checkpoint-*"):
        if (path / COMPLETE).is_file():
            whole.append(path)
        elif is_first():
            shutil.rmtree(path)
    return max(whole, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)
