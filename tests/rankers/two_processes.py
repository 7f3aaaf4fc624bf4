"""The trainings of two processes in tests, all in one start, because a start takes longer than the trainings."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest
import torch
import toy_task as toy

from synthrank.errors import StoppedError
from synthrank.rankers import train, trainers
from synthrank.rankers.base import Training
from synthrank.steps.checkpoints.train_ranker import train_ranker

CASES = {
    "in-batch": ("bi-encoder", "multiple-negatives", {}),
    "cached": ("bi-encoder", "cached-multiple-negatives", {}),
    "cosines": ("bi-encoder", "ranknet", {"accumulation": 2}),
    "pairs": ("cross-encoder", "binary-cross-entropy", {"schedule": "constant", "epochs": 1}),
    "lists": ("cross-encoder", "listnet", {"accumulation": 2}),
    "t5": ("seq2seq", "ranknet", {"gradient_checkpointing": True}),
}
"""Architecture, loss and settings whose results do not depend on the number of processes."""

GROUPS = 16
RATES = [1e-3, 3e-3]


def ranker(name, gpus, **optimiser):
    architecture, loss, settings = CASES[name]
    settings = {"learning_rate": 1e-3, "epochs": 2, "batch_size": 4, **settings, **optimiser}
    return toy.spec(architecture, loss, gpus=gpus, optimiser=settings)


def main(folder, rank):
    """Train every case, a killed and a stopped training with their second attempts, and a case by the step."""
    for name, (architecture, _, _) in CASES.items():
        job = Training(folder / "calm" / architecture, toy.groups(GROUPS), 1)
        log = train(ranker(name, 2), job, folder / "two" / name)
        if rank == 0:
            (folder / f"{name}.json").write_text(json.dumps([log.updates, log.losses]))
    real = trainers.ProgressCallback.on_step_end

    def killed(self, args, state, control, **_):
        real(self, args, state, control)
        if state.global_step == 5:
            raise InterruptedError

    def stopped(self, args, state, control, **_):
        real(self, args, state, control)
        if state.global_step == 5 and rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    for name, end, error in (("killed", killed, InterruptedError), ("stopped", stopped, StoppedError)):
        message = one(folder, name, end, error)
        log = one(folder, name, real, None)
        if rank == 0:
            (folder / f"{name}.json").write_text(json.dumps([message, log.resumed_at]))
    one(folder, "whole", real, None)
    by_the_step(folder, real)


def by_the_step(folder, real):
    """Train by the step, then with a selection whose second rate is interrupted and resumed."""
    torch.distributed.destroy_process_group = lambda: None  # a process of the step trains only once
    files = {"trainset": folder / "groups.jsonl", "base": folder / "calm/bi-encoder", "seed": 3}
    train_ranker(**files, spec=folder / "plain.yaml", development=[], checkpoint=folder / "plain/seed-3")
    files |= {"development": toy.development(folder / "corpora/toy/dev"), "spec": folder / "selected.yaml"}

    def killed(self, args, state, control, **_):
        real(self, args, state, control)
        if (args.learning_rate, state.global_step) == (RATES[1], 4):
            raise InterruptedError

    trainers.ProgressCallback.on_step_end = killed
    with pytest.raises((InterruptedError, SystemExit)):  # one process raises its error
        train_ranker(**files, checkpoint=folder / "selected/seed-3")
    trainers.ProgressCallback.on_step_end = real
    train_ranker(**files, checkpoint=folder / "selected/seed-3")


def one(folder, name, on_step_end, error):
    """Train with dropout and states: resuming must restore the random numbers of every process."""
    trainers.ProgressCallback.on_step_end = on_step_end
    spec = ranker("lists", 2, save_every=2, accumulation=1)
    job = Training(folder / "rough", toy.groups(GROUPS), 1, folder / f"{name}.state")
    if error is None:
        return train(spec, job, folder / "two" / name)
    with pytest.raises(error) as caught:
        train(spec, job, folder / "two" / name)
    return f"{error.__name__}: {caught.value}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(os.environ["LOCAL_RANK"]))
