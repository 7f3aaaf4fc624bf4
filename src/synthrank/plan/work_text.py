"""What rules need, for people."""

from collections.abc import Mapping, Sequence

from synthrank.plan.resources import Resources
from synthrank.plan.text import table
from synthrank.plan.work import Work

HEAD = ("rule", "jobs", "GPUs", "memory MB", "hours each", "hours", "GPU hours")
NOTE = (
    "Roughly, for one A100-class GPU or one core: rates of src/synthrank/plan/rates.py, sizes that corpora state. GPUs "
    "and memory are one job's, as its rule states them; ?: not known. Other rules take a minute or so a job."
)


def work_text(works: Sequence[Work], resources: Mapping[str, Resources]) -> str:
    """Return a table of what each rule needs, with a total line and what it rests on."""
    total = [0.0, 0.0]
    rows = [list(HEAD)]
    for item in works:
        asked = resources.get(item.rule, Resources())
        hours = None if item.seconds is None else item.seconds / 3600
        on_gpus = hours if asked.gpus not in ("", "0") and not item.hosted else 0.0
        total[0] += hours or 0.0
        total[1] += on_gpus or 0.0
        each = None if hours is None else hours / item.jobs
        cells = [_hours(each), _hours(hours), _hours(on_gpus)]
        rows.append([item.rule, f"{item.jobs:,}", asked.gpus or "-", asked.megabytes or "-", *cells])
    rows.append(["total", f"{sum(item.jobs for item in works):,}", "", "", "", *map(_hours, total)])
    return f"{table(rows)}\n{NOTE}\n"


def _hours(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
