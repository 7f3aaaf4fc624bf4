"""Query and cancel this user's SLURM jobs."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from synthrank.errors import RecoveryError

ENDED = frozenset(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED TIMEOUT".split()
)
"""Final states. In every other state, including COMPLETING, a job may still write files."""
ANSWER_S = 120
"""Time limit in seconds: a busy controller may take a minute."""
AT_ONCE = 500
"""Maximum number of ids in one command, far below the limit of a command line."""


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job in the queue. Its name is the id of the run that submitted it."""

    id: str
    name: str
    state: str


def live_jobs(node: str = "") -> list[QueuedJob]:
    """Return this user's jobs that have not ended, on ``node`` or, by default, on all nodes.

    Raises:
        RecoveryError: squeue is missing, does not respond, or prints unexpected output.
    """
    options = [f"--nodelist={node}"] if node else []
    jobs = []
    for line in _output_of("squeue", "--me", "--noheader", "--states=all", "--format=%i|%T|%j", *options).splitlines():
        parts = line.strip().split("|", 2)
        if len(parts) != 3:
            raise RecoveryError(f"squeue printed {line.strip()!r}; expected a job's id, state and name")
        jobs.append(QueuedJob(id=parts[0], state=parts[1], name=parts[2]))
    return [job for job in jobs if job.state not in ENDED]


def cancel(jobs: Sequence[QueuedJob]) -> None:
    """Cancel jobs. SLURM ignores those that have ended meanwhile.

    Raises:
        RecoveryError: scancel is missing or fails.
    """
    for start in range(0, len(jobs), AT_ONCE):
        _output_of("scancel", *(job.id for job in jobs[start : start + AT_ONCE]))


def _output_of(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ANSWER_S)
    except FileNotFoundError:
        raise RecoveryError(
            f"{command[0]}: no such command here, but a run in this folder used SLURM; recover on a machine with SLURM"
        ) from None
    except subprocess.TimeoutExpired:
        raise RecoveryError(f"{command[0]} did not respond within {ANSWER_S} s; try again later") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise RecoveryError(f"{command[0]} failed ({lines[-1]}); try again when SLURM responds")
    return done.stdout
