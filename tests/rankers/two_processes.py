"""What two processes train in tests, all of it in one start of theirs, which takes longer than the trainings.

It stands where torchrun is told to start ``synthrank.rankers.processes``: after its own cases it does the job it got.
"""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
import torch
import toy_task as toy

from synthrank.errors import StoppedError
from synthrank.rankers import processes, train_here, trainers

CASES = {
    "in-batch": ("bi-encoder", "multiple-negatives", {}),
    "cached": ("bi-encoder", "cached-multiple-negatives", {}),
    "cosines": ("bi-encoder", "ranknet", {"accumulation": 2}),
    "pairs": ("cross-encoder", "binary-cross-entropy", {"schedule": "constant", "epochs": 1}),
    "lists": ("cross-encoder", "listnet", {"accumulation": 2}),
    "t5": ("seq2seq", "ranknet", {"gradient_checkpointing": True}),
}
"""Architecture, loss and settings whose results do not depend on how many processes share a batch."""

GROUPS = 16


def ranker(name, gpus, **optimiser):
    architecture, loss, settings = CASES[name]
    settings = {"learning_rate": 1e-3, "epochs": 2, "batch_size": 4, **settings, **optimiser}
    return toy.spec(architecture, loss, gpus=gpus, optimiser=settings)


def main(folder, rank):
    """Train every case, then one that is killed and one that is told to end, each twice, to be compared."""
    for name, (architecture, _, _) in CASES.items():
        log = train_here(ranker(name, 2), folder / "calm" / architecture, toy.groups(GROUPS), 1, folder / "two" / name)
        if rank == 0:
            (folder / f"{name}.json").write_text(json.dumps([log.updates, log.losses]))
    real = trainers.ProgressCallback.on_step_end

    def killed(self, args, state, control, **_):
        real(self, args, state, control)
        if state.global_step == 5:
            raise InterruptedError

    def told(self, args, state, control, **_):
        real(self, args, state, control)
        if state.global_step == 5 and rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    for name, end, error in (("killed", killed, InterruptedError), ("told", told, StoppedError)):
        told_of = one(folder, name, end, error)
        log = one(folder, name, real, None)
        if rank == 0:
            (folder / f"{name}.json").write_text(json.dumps([told_of, log.resumed_at]))
    one(folder, "whole", real, None)


def one(folder, name, on_step_end, error):
    """Train with dropout and states: the random numbers of every process must be resumed too."""
    trainers.ProgressCallback.on_step_end = on_step_end
    spec = ranker("lists", 2, save_every=2, accumulation=1)
    state = folder / f"{name}.state"
    base = folder / "rough"
    if error is None:
        return train_here(spec, base, toy.groups(GROUPS), 1, folder / "two" / name, state)
    with pytest.raises(error) as caught:
        train_here(spec, base, toy.groups(GROUPS), 1, folder / "two" / name, state)
    return f"{error.__name__}: {caught.value}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(os.environ["TWO_PROCESSES"]), int(os.environ["LOCAL_RANK"]))
    processes.main(Path(sys.argv[1]))
