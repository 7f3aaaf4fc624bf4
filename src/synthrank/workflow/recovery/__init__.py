"""Recovery after a killed run of the workflow, whose SLURM jobs continue without the main process.

Unlocking and restarting while these jobs run would start them a second time. Therefore recovery checks that no main
process is alive and cancels the jobs that earlier main processes submitted, or waits for them. The SLURM plugin names
every job after the id of its run, which is in the run's log under ``.snakemake/log``.
"""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthrank.errors import RecoveryError
from synthrank.workflow.recovery.logs import Runs, read_runs
from synthrank.workflow.recovery.processes import Process, processes_of
from synthrank.workflow.recovery.slurm import QueuedJob, cancel, live_jobs

POLL_S = 2.0
CANCEL_S = 600.0
"""Time limit for cancelled jobs. SLURM's KillWait is 30 s by default; a node that does not respond delays the end."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The number of SLURM jobs that were left, and of the runs that had submitted them."""

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
    """Cancel the SLURM jobs that earlier runs of the workflow in ``folder`` left, or wait for them.

    Args:
        folder: the project's folder, where Snakemake ran.
        wait: wait for the SLURM jobs instead of cancelling them.
        head_is_gone: skip the check for a main process on the other machine that the last log names.
        processes: returns the processes on this machine that work in a folder.
        poll_s: seconds between two queries of the queue.
        cancel_s: time limit in seconds for cancelled jobs to leave the queue.

    Raises:
        RecoveryError: a workflow runs here or may run elsewhere, SLURM does not respond, or jobs do not end.
    """
    runs = read_runs(folder)
    _check_no_process_works(processes(folder))
    if runs.host and runs.host != socket.gethostname() and not head_is_gone:
        _check_no_head_on_other_host(runs)
    if not runs.ids:
        return Recovered(0, 0)
    left = _of_runs(live_jobs(), runs)
    _await_empty(runs, poll_s, None if wait else cancel_s)
    return Recovered(len(left), len({job.name for job in left}))


def _check_no_process_works(found: list[Process]) -> None:
    for process in found:
        if process.is_head:
            raise RecoveryError(
                f"process {process.pid} still runs the workflow here: wait until it ends, or run "
                f"`kill -INT {process.pid}`"
            )
    if found:
        ids, steps = " ".join(str(process.pid) for process in found), ", ".join(process.step for process in found)
        raise RecoveryError(f"steps of a killed run are alive ({steps}): wait until they end, or run `kill {ids}`")


def _check_no_head_on_other_host(runs: Runs) -> None:
    """Raise an error if the queue shows a possible main process on the other machine, or if SLURM does not respond."""
    unknown = (
        f"the main process of the last run was on {runs.host}; recover there, or add HEAD=gone if you are sure that it "
        "has ended"
    )
    try:
        there = live_jobs(node=runs.host)
    except RecoveryError as error:
        raise RecoveryError(unknown) from error
    for job in there:
        if job.name not in runs.ids:
            raise RecoveryError(
                f"SLURM job {job.id} ({job.name}) on {runs.host} may be the main process of the last run: wait for it, "
                f"run `scancel --batch --signal=INT {job.id}`, or add HEAD=gone if it is another job"
            )


def _of_runs(jobs: list[QueuedJob], runs: Runs) -> list[QueuedJob]:
    return [job for job in jobs if job.name in runs.ids]


def _await_empty(runs: Runs, poll_s: float, limit_s: float | None) -> None:
    """Cancel jobs if there is a limit, and wait until the queue is empty twice in succession.

    A single query is not sufficient: the last sbatch of a main process may arrive after the process was killed.
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
                    f"(jobs left: {len(left)}): ask the cluster's staff about its node, then recover again"
                )
        if empty < 2:
            time.sleep(poll_s)
