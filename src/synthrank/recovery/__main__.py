"""The command: ``python -m synthrank.recovery``."""

import sys
from pathlib import Path
from typing import Literal

from cyclopts import App

from synthrank.errors import SynthrankError
from synthrank.recovery import recover


def main(*, folder: Path = Path(), jobs: Literal["cancel", "wait"] = "cancel", head: Literal["", "gone"] = "") -> None:
    """End what a killed run left running; unlocking comes after it, as `make recover` does.

    Args:
        folder: the project's folder, where Snakemake ran.
        jobs: cancel the SLURM jobs that are left, or wait until they have finished.
        head: gone, if the last run's head was on a machine that cannot be asked and has surely ended.
    """
    try:
        found = recover(folder, wait=jobs == "wait", head_is_gone=head == "gone")
    except SynthrankError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted; nothing was unlocked: recover again")
    ended = "finished" if jobs == "wait" else "cancelled"
    sys.stdout.write(f"{found.jobs} SLURM jobs {ended}; no job of an earlier run is left\n")


if __name__ == "__main__":
    app = App(name="recovery", help=__doc__)
    app.default(main)
    app()
