"""Lines that describe the progress of a run."""

import re
from collections import Counter, defaultdict
from pathlib import Path

from synthrank.workflow.monitor.log import LoggedRun, StartedJob

_FAR = re.compile(r"(\d+ of \d+ [\w -]+?)(?: in|,) [\d.]+ s$", re.MULTILINE)
TAIL = 4000
"""Characters that are read from the end of a job's log."""


def seconds_left(run: LoggedRun, now: float) -> float | None:
    """Return an estimate of the remaining seconds, or None before any job has finished.

    A job is expected to take the mean time of its rule's finished jobs, or of all finished jobs if no job of its rule
    has finished. The average number of parallel jobs so far is assumed for the rest.
    """
    lasted: dict[str, list[float]] = defaultdict(list)
    for job in run.jobs.values():
        if job.end is not None and not job.failed and not job.interrupted:
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


def run_line(run: LoggedRun, now: float, spent_usd: float) -> str:
    """Return one line with finished jobs, failures, elapsed and remaining time, cost, and the running rules."""
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


def job_line(folder: Path, job: StartedJob, now: float) -> str:
    """Return one line about a running job, with the progress that its log shows."""
    return f"  {job.stage}: {job.rule} {job.name}, {duration(now - job.start)}{describe_progress(folder, job)}"


def describe_progress(folder: Path, job: StartedJob) -> str:
    """Return a comma and the last progress in a job's log, or an empty string if its log shows no progress."""
    path = folder / job.log
    if not job.log or not path.is_file():
        return ""
    found = _FAR.findall(path.read_text(encoding="utf-8", errors="replace")[-TAIL:])
    return f", {found[-1]}" if found else ""


def duration(seconds: float) -> str:
    """Return a duration in seconds, minutes or hours."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def reason(path: Path) -> str:
    """Return the last line of a failed job's log that starts with ``error:``, or its last line."""
    if not path.is_file():
        return "no log"
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    errors = [text for text in lines if text.startswith("error: ")]
    return (errors or lines or ["the log is empty"])[-1]
