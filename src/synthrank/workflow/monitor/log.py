"""Snakemake's log of a run, read as jobs and counts."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from synthrank.config.experiment import STAGES

LOGS = Path(".snakemake/log")
_TIME = re.compile(r"^\s*\[(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\]")
_JOB = re.compile(r"^\s*(?:local)?rule (\w+):$")
_ITEM = re.compile(r"^\s+(jobid|log|output): (\S+?),?(?: .*)?$")
_FINISHED = re.compile(r"^\s*Finished jobid: (\d+) ")
_FAILED = re.compile(r"^\s*Error in rule \w+:$")
_DONE = re.compile(r"^(\d+) of (\d+) steps ")
_COUNT = re.compile(r"^(\w+) +(\d+)$")
_LAST = re.compile(r"^(?:Complete log|Nothing to be done)")
STOPPED = "Terminating processes on user request"
"""The start of Snakemake's line after Ctrl-C. Jobs that fail after it were interrupted."""


@dataclass(slots=True)
class StartedJob:
    """A started job. Times are in seconds since the epoch; ``end`` is missing while the job runs."""

    rule: str
    start: float
    stage: str = ""
    log: str = ""
    end: float | None = None
    failed: bool = False
    interrupted: bool = False

    @property
    def name(self) -> str:
        """The part of its log's path that identifies the job within its rule."""
        return self.log.removeprefix(f"results/logs/{self.rule}/").removesuffix(".log")


@dataclass(slots=True)
class LoggedRun:
    """A run as its log describes it so far.

    ``start`` is in seconds since the epoch, ``counts`` the number of jobs per rule. ``stopped`` is set after Ctrl-C.
    """

    start: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, StartedJob] = field(default_factory=dict)
    done: int = 0
    total: int = 0
    ended: bool = False
    stopped: bool = False

    @property
    def running(self) -> list[StartedJob]:
        """The started jobs that have not ended, oldest first."""
        return [job for job in self.jobs.values() if job.end is None]

    @property
    def failed(self) -> list[StartedJob]:
        """The jobs whose last attempt failed."""
        return [job for job in self.jobs.values() if job.failed]

    @property
    def interrupted(self) -> list[StartedJob]:
        """The jobs that Ctrl-C ended before they finished."""
        return [job for job in self.jobs.values() if job.interrupted]


def newest_log(folder: Path) -> Path | None:
    """Return the newest log in a folder, also of a run without jobs, or None for a folder without logs."""
    return max((folder / LOGS).glob("*.snakemake.log"), default=None)


def last_run(folder: Path) -> tuple[Path, LoggedRun] | None:
    """Return the log and the content of the last run in a folder that had jobs, or None without such a run.

    Names of logs start with the time, so sorting gives their order.
    """
    for path in sorted((folder / LOGS).glob("*.snakemake.log"), reverse=True):
        run = read_log(path)
        if run.total:
            return path, run
    return None


def read_log(path: Path) -> LoggedRun:
    """Return the run that a log describes. An incomplete last line is ignored."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        return parse(line.rstrip("\n") for line in stream)


def parse(lines: Iterable[str]) -> LoggedRun:
    """Return the run that the lines of a log describe."""
    run, now, job, failing = LoggedRun(), 0.0, None, False
    for line in lines:
        if found := _TIME.match(line):
            now = time.mktime(time.strptime(found[1]))
            run.start = run.start or now
        elif found := _JOB.match(line):
            job, failing = StartedJob(found[1], now), False
        elif _FAILED.match(line):
            job, failing = None, True
        elif found := _FINISHED.match(line):
            _end(run, found[1], now, failed=False)
        elif found := _DONE.match(line):
            run.done, run.total = int(found[1]), int(found[2])
        elif found := _COUNT.match(line):
            if found[1] == "total":
                run.total = run.total or int(found[2])
            else:
                run.counts.setdefault(found[1], int(found[2]))
        elif found := _ITEM.match(line):
            if failing and found[1] == "jobid":
                _end(run, found[2], now, failed=True)
            elif job:
                _take(run, job, found[1], found[2])
        elif _LAST.match(line):
            run.ended = True
        elif line.startswith(STOPPED):
            run.stopped = True
    return run


def _take(run: LoggedRun, job: StartedJob, item: str, value: str) -> None:
    if item == "jobid":
        run.jobs[value] = job  # replaces an earlier attempt
    elif item == "log":
        job.log = value
    else:
        # The stage follows results/ or the experiment's name. report.html is not in a folder of its stage.
        job.stage = next((part for part in Path(value).parts if part in STAGES), Path(value).stem)


def _end(run: LoggedRun, number: str, now: float, *, failed: bool) -> None:
    if number in run.jobs:
        job = run.jobs[number]
        job.end, job.failed, job.interrupted = now, failed and not run.stopped, failed and run.stopped
