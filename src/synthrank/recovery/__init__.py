"""Clear away what a killed run of the workflow left: its SLURM jobs go on without it.

Unlocking and starting again while they run would run them twice at the same time. So: no head may live, the jobs that
earlier heads submitted are cancelled or waited for, and only then is the folder free. The plugin for SLURM names every
job of a run by an id that stands in the run's log under ``.snakemake/log``.
"""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthrank.errors import RecoveryError
from synthrank.recovery.logs import Runs, read_runs
from synthrank.recovery.processes import Process, processes_of
from synthrank.recovery.slurm import Job, cancel, live_jobs

POLL_S = 2.0
CANCEL_S = 600.0
"""Cancelled jobs are gone within SLURM's KillWait, 30 s by default, unless a node does not answer."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was left: ``jobs`` SLURM jobs of ``runs`` earlier runs on SLURM."""

    jobs: int
    runs: int


def recover(
    folder: Path,
    *,
    wait: bool = False,
    head_is_gone: bool = False,
    processes: Callable[[Path], list[Process]] = processes_of,
    poll_s: float = POLL_S,
    cancel_s: float = CANCEL_S,
) -> Recovered:
    """End, or wait for, what earlier runs of the workflow in ``folder`` left running.

    Args:
        folder: the project's folder, where Snakemake ran.
        wait: let SLURM jobs that are left finish instead of cancelling them.
        head_is_gone: do not ask whether a head lives on another machine, where the last log says that it was there.
        processes: returns the processes of this machine that work in a folder.
        poll_s: seconds between two looks at the queue.
        cancel_s: seconds until cancelled jobs must have left the queue.

    Raises:
        RecoveryError: a workflow still runs here or may run elsewhere, SLURM does not answer, or jobs do not end.
    """
    runs = read_runs(folder)
    _check_no_one_works(processes(folder))
    if runs.host and runs.host != socket.gethostname() and not head_is_gone:
        _check_no_head_at(runs)
    if not runs.ids:
        return Recovered(0, 0)
    left = _of_runs(live_jobs(), runs)
    _await_empty(runs, poll_s, None if wait else cancel_s)
    return Recovered(len(left), len({job.name for job in left}))


def _check_no_one_works(found: list[Process]) -> None:
    for process in found:
        if process.is_head:
            raise RecoveryError(
                f"process {process.pid} still runs the workflow here: wait for it, or end it: `kill -INT {process.pid}`"
            )
    if found:
        ids, steps = " ".join(str(process.pid) for process in found), ", ".join(process.step for process in found)
        raise RecoveryError(f"a killed run still works here ({steps}): wait until it ends, or end it by `kill {ids}`")


def _check_no_head_at(runs: Runs) -> None:
    """A head on another machine shows itself only where it is a SLURM job: then the queue knows."""
    unknown = f"the last run's head was on {runs.host}; recover there, or say HEAD=gone if it has surely ended"
    try:
        there = live_jobs(node=runs.host)
    except RecoveryError as error:
        raise RecoveryError(unknown) from error
    for job in there:
        if job.name not in runs.ids:
            raise RecoveryError(
                f"SLURM job {job.id} ({job.name}) on {runs.host} may be the last run's head: wait for it, end it by "
                f"`scancel --batch --signal=INT {job.id}`, or say HEAD=gone if it is something else"
            )


def _of_runs(jobs: list[Job], runs: Runs) -> list[Job]:
    return [job for job in jobs if job.name in runs.ids]


def _await_empty(runs: Runs, poll_s: float, limit_s: float | None) -> None:
    """Cancel jobs, where there is a limit, and wait until two looks in a row see none.

    One look is not enough: the last sbatch of a head may arrive after the head was killed.
    """
    start, empty = time.monotonic(), 0
    cancelled: set[str] = set()
    while empty < 2:
        left = _of_runs(live_jobs(), runs)
        empty = 0 if left else empty + 1
        if left and limit_s is not None:
            cancel([job for job in left if job.id not in cancelled])
            cancelled.update(job.id for job in left)
            if time.monotonic() - start > limit_s:
                raise RecoveryError(
                    f"SLURM job {left[0].id} is still {left[0].state} {limit_s:.0f} s after it was cancelled "
                    f"({len(left)} such): ask the cluster's staff about its node, then recover again"
                )
        if empty < 2:
            time.sleep(poll_s)
