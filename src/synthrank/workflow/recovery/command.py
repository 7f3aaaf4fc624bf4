"""The command ``python scripts/recover.py``."""

import sys
from pathlib import Path
from typing import Literal

from synthrank.workflow.recovery import recover


def main(*, folder: Path = Path(), jobs: Literal["cancel", "wait"] = "cancel", head: Literal["", "gone"] = "") -> None:
    """Cancel the SLURM jobs that a killed run left. `make recover` also unlocks the folder afterwards.

    Args:
        folder: the project's folder, where Snakemake ran.
        jobs: cancel the remaining SLURM jobs, or wait until they have finished.
        head: gone, if the main process of the last run was on an unreachable machine and has ended.
    """
    try:
        found = recover(folder, wait=jobs == "wait", head_is_gone=head == "gone")
    except KeyboardInterrupt:
        sys.exit("error: interrupted before the folder was unlocked; recover again")
    ended = "finished" if jobs == "wait" else "cancelled"
    sys.stdout.write(f"{found.jobs} SLURM jobs {ended}; no jobs of earlier runs are left\n")
