"""The table of sizes for reading: one section a distribution and measure, one column a size."""

from collections.abc import Sequence

from synthrank.places import TITLES
from synthrank.specs.experiment import Intervals
from synthrank.tables.pipes import head, interval, line, paragraphs
from synthrank.tables.sizes import Row


def as_markdown(rows: Sequence[Row], intervals: Intervals) -> str:
    """Return the Markdown twin.

    Args:
        rows: the table.
        intervals: how intervals were made.
    """
    sizes = sorted({row.size for row in rows})
    lines = ["# Sizes", "", *paragraphs(
        "Effect of the number of training queries of each paradigm; a smaller sample is part of a larger one. Each "
        f"cell: mean over queries and seeds [{intervals.confidence:.0%} bootstrap interval over queries]. Nothing is "
        "tested here."
    )]  # fmt: skip
    for distribution, measure in dict.fromkeys((row.distribution, row.measure) for row in rows):
        lines += [f"## {TITLES[distribution]}: {measure}", "", *head(
            ["test set", "ranker", "recipe", "llm", "seeds"], [f"{size:,}" for size in sizes]
        )]  # fmt: skip
        cells: dict[tuple[str, ...], dict[int, str]] = {}
        for row in rows:
            if (row.distribution, row.measure) == (distribution, measure):
                key = row.testset, row.ranker, row.recipe, row.llm, str(row.seeds)
                cells.setdefault(key, {})[row.size] = interval(row.mean, row.ci_low, row.ci_high)
        lines += [line([*key, *(found.get(size, "") for size in sizes)]) for key, found in cells.items()]
        lines.append("")
    return "\n".join(lines)
