"""The ids and the machine of earlier runs, read from Snakemake's logs."""

import re
from dataclasses import dataclass
from pathlib import Path

LOGS = Path(".snakemake/log")
RUN = re.compile(r"^SLURM run ID: (\S+)$", re.MULTILINE)
HOST = re.compile(r"^  Host: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Runs:
    """The ids of all runs on SLURM, which are also the names of their jobs, and the machine of the last main process.

    ``host`` is empty before the first run.
    """

    ids: frozenset[str]
    host: str


def read_runs(folder: Path) -> Runs:
    """Return the earlier runs in ``folder``. The names of logs start with the time, so the last log is the newest."""
    ids: set[str] = set()
    host = ""
    for path in sorted((folder / LOGS).glob("*.snakemake.log")):
        text = path.read_text(encoding="utf-8", errors="replace")
        ids.update(RUN.findall(text))
        if found := HOST.search(text):
            host = found[1]
    return Runs(frozenset(ids), host)
