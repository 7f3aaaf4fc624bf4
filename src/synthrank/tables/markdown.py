"""A table for reading: one section a measure, one row a system, one column a test set."""

import pandas as pd

from synthrank.specs.experiment import Intervals
from synthrank.tables.pipes import head, interval, line


def as_markdown(frame: pd.DataFrame, inside: bool, intervals: Intervals) -> str:
    """Return the Markdown twin of a tidy table.

    Args:
        frame: the tidy table.
        inside: whether it is the in-distribution table.
        intervals: how its intervals were made.
    """
    title = "In distribution" if inside else "Out of distribution"
    place = "the recipe's own corpus" if inside else "corpora that the recipe never saw"
    lines = [
        f"# {title}",
        "",
        f"Test questions of {place}. Each cell: mean [{intervals.confidence:.0%} bootstrap interval over queries].",
        "Recipe `none` is the model before training, or a first stage; `RANKER+RETRIEVER` is the reranker's order",
        "fused with its first stage's; a reranker alone lists only the passages that it reordered. Overlapping",
        "intervals are no evidence of a difference, nor of equality.",
    ]
    for measure, part in frame.groupby("measure", sort=False):
        testsets = list(dict.fromkeys(part["testset"]))
        lines += ["", f"## {measure}", "", *head(["ranker", "recipe", "llm", "seeds"], testsets)]
        for system, rows in part.groupby(["ranker", "recipe", "llm"], sort=False):
            cells = {row.testset: _cell(row) for row in rows.itertuples()}
            seeds = str(rows["seeds"].iloc[0])
            lines.append(line([*map(str, system), seeds, *(cells.get(name, "") for name in testsets)]))
    return "\n".join(lines) + "\n"


def _cell(row: object) -> str:
    mean, low, high = (getattr(row, name) for name in ("mean", "ci_low", "ci_high"))
    return interval(mean, low, high)
