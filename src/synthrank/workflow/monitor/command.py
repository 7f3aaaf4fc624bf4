"""The command ``python scripts/progress.py``."""

import socket
import sys
import time
from pathlib import Path

from synthrank.llms.store.store import spent_usd
from synthrank.runtime.environment import store_folder
from synthrank.workflow.monitor.log import last_run, newest_log
from synthrank.workflow.monitor.text import job_line, reason, run_line
from synthrank.workflow.recovery.logs import read_runs
from synthrank.workflow.recovery.processes import processes_of


def main(*, folder: Path = Path()) -> None:
    """Show the progress of the last run: jobs, time, cost, running jobs, and failed jobs with the reason.

    Args:
        folder: the project's folder, where Snakemake runs.
    """
    found = last_run(folder)
    if found is None:
        sys.exit(f"error: {folder.resolve()}: no run yet; start with `make demo`")
    (path, run), now = found, time.time()
    spent = spent_usd(store_folder(folder))
    here = read_runs(folder).host in ("", socket.gethostname())
    alive = any(process.is_head for process in processes_of(folder))
    if alive and newest_log(folder) != path:
        sys.stdout.write("a run is starting: Snakemake is listing its jobs\n")
        return
    killed = not run.ended and here and not alive
    if run.ended or killed:
        for job in run.running:  # unfinished jobs have ended with the run
            job.end, job.interrupted = now, True
        run.ended, now = True, path.stat().st_mtime
    sys.stdout.write(f"{run_line(run, now, spent)}\n")
    for job in run.running:
        sys.stdout.write(f"{job_line(folder, job, now)}\n")
    for job in run.failed:
        sys.stdout.write(f"  FAILED {job.rule} {job.name}: {reason(folder / job.log)}\n")
    if run.stopped and run.ended:
        count = len(run.interrupted)
        sys.stdout.write(
            f"Stopped by you (Ctrl-C). {count} {'job' if count == 1 else 'jobs'} interrupted, finished jobs are kept. "
            f"Run the same command to continue.\n"
        )
    elif killed:
        sys.stdout.write("the run was killed: run `make recover`, then the same command to continue\n")
    elif run.ended:
        sys.stdout.write("the run has ended\n")
