"""How long each rule took, of Snakemake's benchmark files: one a job, as they lie there when the page is made."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

UNMEASURED = ("NA", "-", "")
"""What stands in a benchmark file where nothing was measured, as for jobs that were too short."""


@dataclass(frozen=True, slots=True)
class Took:
    """What the jobs of one rule took: how many, seconds of all together, and the most megabytes of one."""

    rule: str
    jobs: int
    seconds: float
    megabytes: float


def times(folder: Path) -> dict[str, Took]:
    """Return what each rule took whose benchmark files are there; nothing where the folder is not."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for path in sorted(folder.rglob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            row = next(csv.DictReader(stream, delimiter="\t"), None)
        if row is not None:
            found[path.relative_to(folder).parts[0]].append((_number(row.get("s")), _number(row.get("max_rss"))))
    return {
        rule: Took(rule, len(jobs), sum(job[0] for job in jobs), max(job[1] for job in jobs))
        for rule, jobs in found.items()
    }


def _number(text: str | None) -> float:
    return 0.0 if text is None or text in UNMEASURED else float(text)
