"""The command: ``python -m synthrank.watch``."""

import socket
import sys
import time
from pathlib import Path

from cyclopts import App

from synthrank.errors import SynthrankError
from synthrank.llms.store import spent_usd
from synthrank.recovery.logs import read_runs
from synthrank.recovery.processes import processes_of
from synthrank.variables import store_folder
from synthrank.watch.log import last_run, newest_log
from synthrank.watch.text import job_line, line, reason


def main(*, folder: Path = Path()) -> None:
    """Say how far the last run of the workflow is: jobs, time, money, what runs, what failed and why.

    Args:
        folder: the project's folder, where Snakemake runs.
    """
    found = last_run(folder)
    if found is None:
        sys.exit(f"error: {folder.resolve()}: nothing ran here yet; `make demo` is the first run")
    (path, run), now = found, time.time()
    try:
        spent = spent_usd(store_folder(folder))
    except SynthrankError as error:
        sys.exit(f"error: {error}")
    here = read_runs(folder).host in ("", socket.gethostname())
    alive = any(process.is_head for process in processes_of(folder))
    if alive and newest_log(folder) != path:
        sys.stdout.write("a run begins: it looks what there is to do\n")
        return
    killed = not run.ended and here and not alive
    if run.ended or killed:
        for job in run.jobs.values():  # what it left unfinished runs no more
            job.end = job.end or now
        run.ended, now = True, path.stat().st_mtime
    sys.stdout.write(f"{line(run, now, spent)}\n")
    for job in run.running:
        sys.stdout.write(f"{job_line(folder, job, now)}\n")
    for job in run.failed:
        sys.stdout.write(f"  FAILED {job.rule} {job.name}: {reason(folder / job.log)}\n")
    if killed:
        sys.stdout.write("that run was killed: `make recover`, then the same command goes on where it stopped\n")
    elif run.ended:
        sys.stdout.write("that run has ended\n")


if __name__ == "__main__":
    app = App(name="watch", help=__doc__)
    app.default(main)
    app()
