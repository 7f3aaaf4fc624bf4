"""How far a run is, in words."""

import re
from collections import Counter, defaultdict
from pathlib import Path

from synthrank.watch.log import Job, Run

_FAR = re.compile(r"(\d+ of \d+ [\w -]+?)(?: in|,) [\d.]+ s$", re.MULTILINE)
TAIL = 4000
"""Characters of a job's log that are looked at."""


def seconds_left(run: Run, now: float) -> float | None:
    """Return how long the rest may take, None before any job has finished.

    A job is taken to last as long as those of its rule did, one of a rule that has not had its turn as long as the mean
    job; as many run at once as did on average so far.
    """
    lasted: dict[str, list[float]] = defaultdict(list)
    for job in run.jobs.values():
        if job.end is not None and not job.failed:
            lasted[job.rule].append(job.end - job.start)
    every = [seconds for found in lasted.values() for seconds in found]
    if not every or now <= run.start:
        return None
    mean = {rule: sum(found) / len(found) for rule, found in lasted.items()}
    usual = sum(every) / len(every)
    begun = Counter(job.rule for job in run.jobs.values())
    waiting = sum(mean.get(rule, usual) * max(0, count - begun[rule]) for rule, count in run.counts.items())
    under_way = sum(max(0.0, mean.get(job.rule, usual) - (now - job.start)) for job in run.running)
    busy = sum(every) + sum(now - job.start for job in run.running)
    return (waiting + under_way) / max(1.0, busy / (now - run.start))


def line(run: Run, now: float, spent_usd: float) -> str:
    """Return the run in one line: stages, jobs, time, what is left, money."""
    stages = ", ".join(dict.fromkeys(f"{job.stage}: {job.rule}" for job in run.running)) or "no job runs"
    left = seconds_left(run, now)
    parts = [f"{run.done} of {run.total} jobs"]
    if run.failed:
        parts.append(f"{len(run.failed)} FAILED")
    parts.append(duration(now - run.start) if run.start else "starting")
    if not run.ended:
        parts.append("time left unknown" if left is None else f"about {duration(left)} left")
    parts.append(f"${spent_usd:.2f} spent")
    return f"{', '.join(parts)} | {stages}"


def job_line(folder: Path, job: Job, now: float) -> str:
    """Return a running job in one line, with what its log says of how far it is."""
    return f"  {job.stage}: {job.rule} {job.name}, {duration(now - job.start)}{far(folder, job)}"


def far(folder: Path, job: Job) -> str:
    """Return how far a job's log says that it is, after a comma; nothing where it does not say."""
    path = folder / job.log
    if not job.log or not path.is_file():
        return ""
    found = _FAR.findall(path.read_text(encoding="utf-8", errors="replace")[-TAIL:])
    return f", {found[-1]}" if found else ""


def duration(seconds: float) -> str:
    """Return seconds, minutes or hours in few characters."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def reason(path: Path) -> str:
    """Return the line of a failed job's log that says what to do, else its last one."""
    if not path.is_file():
        return "it left no log"
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    errors = [text for text in lines if text.startswith("error: ")]
    return (errors or lines or ["its log is empty"])[-1]
