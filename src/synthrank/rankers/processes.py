"""Training on several GPUs of one node: torchrun starts a process for each, and each trains on its share of a batch.

The step's own process loads no model. It writes the job down, waits, and reads what the first of the processes left;
the others leave nothing. Where there is no GPU they share the cores.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from synthrank import errors
from synthrank.errors import ModelError, SynthrankError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.rankers.base import TrainingLog
from synthrank.rankers.states import last_complete
from synthrank.records import Group
from synthrank.specs.base import validate
from synthrank.specs.rankers import RankerSpec
from synthrank.variables import turn_bar_off

MODULE = "synthrank.rankers.processes"
"""What torchrun starts: this module."""

SRC = Path(__file__).resolve().parents[2]


def train_by_processes(
    spec: RankerSpec,
    base: Path,
    groups: Sequence[Group],
    seed: int,
    checkpoint: Path,
    state: Path | None,
    points: Path | None = None,
) -> TrainingLog:
    """Train a ranker by ``spec.gpus`` processes; arguments as of :func:`synthrank.rankers.train`.

    Raises:
        SynthrankError: what one of the processes raised.
    """
    if state is not None:
        last_complete(state)  # removes torn states, before several processes look for whole ones
    with TemporaryDirectory(prefix="synthrank-") as scratch:
        folder = Path(scratch)
        write_jsonl(folder / "groups.jsonl", groups)
        given = {"base": base, "checkpoint": checkpoint, "state": state, "points": points}
        paths = {name: None if path is None else str(path) for name, path in given.items()}
        write_json(folder / "job.json", {"spec": spec.model_dump(mode="json"), "seed": seed, **paths})
        start(spec.gpus, MODULE, folder)
        log = json.loads((folder / "log.json").read_text(encoding="utf-8"))
    return TrainingLog(**{**log, "losses": tuple((update, loss) for update, loss in log["losses"])})


def start(processes: int, module: str, folder: Path) -> None:
    """Run a module by several processes to their end; the first that fails ends the others.

    Args:
        processes: how many.
        module: the module.
        folder: its argument, where a process leaves its error.

    Raises:
        SynthrankError: what one of the processes raised.
    """
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    paths = os.pathsep.join(filter(None, [str(SRC), os.environ.get("PYTHONPATH")]))
    running = subprocess.Popen(
        [*command, "--module", module, str(folder)],
        env={**os.environ, "PYTHONPATH": paths},
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    with _passed_on(running):
        status = running.wait()
    if status:
        raise _error_of(folder, processes)


@contextmanager
def _passed_on(running: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass the signal to end on to the processes, which keep a state first, and leave none of them behind."""

    def pass_on(number: int, _: FrameType | None) -> None:
        running.send_signal(number)

    before = signal.signal(signal.SIGTERM, pass_on)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if running.poll() is None:
            running.terminate()
            running.wait()


def _end_with_parent() -> None:
    """Ask the kernel to end this process when its parent is gone: else a killed job would train on beside the next."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _error_of(folder: Path, processes: int) -> SynthrankError:
    """Return the cause: an error of ours before those that follow from it elsewhere, else the first there was."""
    told = []
    for path in folder.glob("error-*.json"):
        left = json.loads(path.read_text(encoding="utf-8"))
        kind = getattr(errors, left["kind"], None)
        told.append((kind is None, path.stat().st_mtime_ns, path.name, left["kind"], left["message"]))
    if not told:
        return ModelError(f"one of {processes} training processes was killed; its memory, or the job's, was too small")
    unknown, _, _, name, message = min(told)
    if unknown:
        return ModelError(f"one of {processes} training processes failed: {name}: {message}; its traceback is above")
    error: SynthrankError = getattr(errors, name)(message)
    return error


def _train_here(folder: Path, rank: int) -> None:
    """Do one process's part of the job that is written down in ``folder``."""
    import torch

    from synthrank.rankers import train_here

    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    spec: RankerSpec = validate(RankerSpec, job["spec"], "job.json")
    if torch.cuda.is_available():
        if torch.cuda.device_count() < spec.gpus:
            raise ModelError(f"gpus: got {spec.gpus}; {torch.cuda.device_count()} are to be had here")
        torch.cuda.set_device(rank)  # or every process would load its model onto the first
    groups = list(read_jsonl(folder / "groups.jsonl", Group))
    state, points = (None if job[name] is None else Path(job[name]) for name in ("state", "points"))
    log = train_here(spec, Path(job["base"]), groups, job["seed"], Path(job["checkpoint"]), state, points)
    if rank == 0:
        write_json(folder / "log.json", asdict(log))
    torch.distributed.destroy_process_group()


def main(folder: Path) -> None:
    """Be one of the processes: train, or leave the error beside the job and end with 1."""
    rank = int(os.environ["LOCAL_RANK"])
    logging.basicConfig(
        level=logging.WARNING if rank else logging.INFO,
        format="%(asctime)s %(name)s: %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
    )
    for chatty in ("transformers", "sentence_transformers", "datasets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if rank:
        turn_bar_off()  # one bar is enough
    try:
        _train_here(folder, rank)
    except Exception as error:
        if not isinstance(error, SynthrankError):
            traceback.print_exc()
        text = " ".join(str(error).split())
        write_json(folder / f"error-{rank}.json", {"kind": type(error).__name__, "message": text})
        sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
