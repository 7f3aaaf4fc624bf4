"""The SLURM jobs of this user: which live, and how they are cancelled."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from synthrank.errors import RecoveryError

ENDED = frozenset(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT".split()
)
"""States that no job leaves; every other one, COMPLETING too, may still write files."""
ANSWER_S = 120
"""A busy controller may take a minute."""
AT_ONCE = 500
"""Ids in one command, far below what a command line holds."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job in the queue; the plugin names it by the id of the run that submitted it."""

    id: str
    name: str
    state: str


def live_jobs(node: str = "") -> list[Job]:
    """Return this user's jobs that have not ended, those on ``node`` if one is named.

    Raises:
        RecoveryError: squeue is not to be had, does not answer, or says something else than jobs.
    """
    options = [f"--nodelist={node}"] if node else []
    jobs = []
    for line in _said("squeue", "--me", "--noheader", "--states=all", "--format=%i|%T|%j", *options).splitlines():
        parts = line.strip().split("|", 2)
        if len(parts) != 3:
            raise RecoveryError(f"squeue said {line.strip()!r}; expected a job's id, state and name")
        jobs.append(Job(id=parts[0], state=parts[1], name=parts[2]))
    return [job for job in jobs if job.state not in ENDED]


def cancel(jobs: Sequence[Job]) -> None:
    """Cancel jobs; those that have ended meanwhile are passed over by SLURM.

    Raises:
        RecoveryError: scancel is not to be had or fails.
    """
    for start in range(0, len(jobs), AT_ONCE):
        _said("scancel", *(job.id for job in jobs[start : start + AT_ONCE]))


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ANSWER_S)
    except FileNotFoundError:
        raise RecoveryError(
            f"{command[0]} is not to be had here, but a run in this folder was on SLURM: recover where SLURM is"
        ) from None
    except subprocess.TimeoutExpired:
        raise RecoveryError(f"{command[0]} did not answer within {ANSWER_S} s: try again later") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise RecoveryError(f"{command[0]} failed ({lines[-1]}): try again when SLURM answers")
    return done.stdout
