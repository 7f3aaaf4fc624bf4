"""What Snakemake's log of a run says so far."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

LOGS = Path(".snakemake/log")
_TIME = re.compile(r"^\s*\[(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\]")
_JOB = re.compile(r"^\s*(?:local)?rule (\w+):$")
_ITEM = re.compile(r"^\s+(jobid|log|output): (\S+?),?(?: .*)?$")
_FINISHED = re.compile(r"^\s*Finished jobid: (\d+) ")
_FAILED = re.compile(r"^\s*Error in rule \w+:$")
_DONE = re.compile(r"^(\d+) of (\d+) steps ")
_COUNT = re.compile(r"^(\w+) +(\d+)$")
_LAST = re.compile(r"^(?:Complete log|Nothing to be done)")


@dataclass(slots=True)
class Job:
    """A job that was started: its rule, when, and until when; ``end`` is None while it runs."""

    rule: str
    start: float
    stage: str = ""
    log: str = ""
    end: float | None = None
    failed: bool = False

    @property
    def name(self) -> str:
        """What tells it from others of its rule."""
        return self.log.removeprefix(f"results/logs/{self.rule}/").removesuffix(".log")


@dataclass(slots=True)
class Run:
    """A run as far as its log goes; times are seconds since the epoch, ``counts`` the jobs of each rule."""

    start: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    done: int = 0
    total: int = 0
    ended: bool = False

    @property
    def running(self) -> list[Job]:
        """The jobs that are started and neither finished nor failed, the oldest first."""
        return [job for job in self.jobs.values() if job.end is None]

    @property
    def failed(self) -> list[Job]:
        """The jobs whose last attempt failed."""
        return [job for job in self.jobs.values() if job.failed]


def newest_log(folder: Path) -> Path | None:
    """Return the log that was begun last in a folder, whether its run had any job or not, None where there is none."""
    return max((folder / LOGS).glob("*.snakemake.log"), default=None)


def last_run(folder: Path) -> tuple[Path, Run] | None:
    """Return the log of the last run in a folder that had any job, None where none had; names begin with the time."""
    for path in sorted((folder / LOGS).glob("*.snakemake.log"), reverse=True):
        run = read(path)
        if run.total:
            return path, run
    return None


def read(path: Path) -> Run:
    """Return what a log says; a line that is half-written as it is read is one that it does not have yet."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        return parse(line.rstrip("\n") for line in stream)


def parse(lines: Iterable[str]) -> Run:
    """Return what the lines of a log say."""
    run, now, job, failing = Run(), 0.0, None, False
    for line in lines:
        if found := _TIME.match(line):
            now = time.mktime(time.strptime(found[1]))
            run.start = run.start or now
        elif found := _JOB.match(line):
            job, failing = Job(found[1], now), False
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
    return run


def _take(run: Run, job: Job, item: str, value: str) -> None:
    if item == "jobid":
        run.jobs[value] = job  # again, where it is tried again
    elif item == "log":
        job.log = value
    else:
        job.stage = value.split("/")[1] if value.startswith("results/") else ""


def _end(run: Run, number: str, now: float, *, failed: bool) -> None:
    if number in run.jobs:
        run.jobs[number].end, run.jobs[number].failed = now, failed
