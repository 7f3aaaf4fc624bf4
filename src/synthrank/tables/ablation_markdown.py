"""An ablation's table for reading: one section a measure, one row a system, one column a test set."""

from collections.abc import Sequence

from synthrank.specs.experiment import Intervals
from synthrank.tables.ablation import Row
from synthrank.tables.pipes import difference, head, interval, line, paragraphs, what_p_is


def as_markdown(rows: Sequence[Row], ablation: str, intervals: Intervals) -> str:
    """Return the Markdown twin.

    Args:
        rows: the table.
        ablation: its name.
        intervals: how intervals and p were made.
    """
    lines = [f"# Ablation: {ablation}", "", *paragraphs(
        f"Each cell: mean over queries and seeds [{intervals.confidence:.0%} bootstrap interval over queries], then "
        "the difference to the reference, which is the first recipe with the first ranker by the same LLM, or by "
        f"the first where that LLM made none. {what_p_is()}"
    )]  # fmt: skip
    for measure in dict.fromkeys(row.measure for row in rows):
        here = [row for row in rows if row.measure == measure]
        testsets = list(dict.fromkeys(row.testset for row in here))
        lines += [f"## {measure}", "", *head(["recipe", "llm", "ranker", "seeds"], testsets)]
        cells: dict[tuple[str, str, str, str], dict[str, str]] = {}
        for row in here:
            cells.setdefault((row.recipe, row.llm, row.ranker, str(row.seeds)), {})[row.testset] = _cell(row)
        lines += [line([*system, *(found[name] for name in testsets)]) for system, found in cells.items()]
        lines.append("")
    return "\n".join(lines)


def _cell(row: Row) -> str:
    compared = difference(row.delta, row.p) or "reference"
    return f"{interval(row.mean, row.ci_low, row.ci_high)}, {compared}"
