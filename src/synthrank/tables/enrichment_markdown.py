"""The table of enrichment for reading: one section a distribution and measure, one row a system and test set."""

from collections.abc import Sequence

from synthrank.places import TITLES
from synthrank.specs.experiment import Intervals
from synthrank.tables.enrichment import Compared, Row
from synthrank.tables.pipes import chance, head, interval, line, paragraphs, what_p_is


def as_markdown(rows: Sequence[Row], recipes: Compared, added: str, intervals: Intervals) -> str:
    """Return the Markdown twin.

    Args:
        rows: the table.
        recipes: what it compares.
        added: what the passages are called that are added.
        intervals: how intervals and p were made.
    """
    against = f"as many further human passages ({recipes.control[0]})" if recipes.control else "nothing else"
    lines = ["# Enrichment", "", *paragraphs(
        f"Human passages alone ({recipes.base}), {against}, and human passages with {added} ones "
        f"({', '.join(recipes.enriched)}). Each value: mean over queries and seeds [{intervals.confidence:.0%} "
        "bootstrap interval over queries]; each difference: mean [interval that its test does not reject] p. A gain "
        "over the base alone may come from more passages of any kind; the difference to the control says what "
        f"{added} passages add beyond that.",
        what_p_is(),
    )]  # fmt: skip
    for distribution, measure in dict.fromkeys((row.distribution, row.measure) for row in rows):
        lines += [f"## {TITLES[distribution]}: {measure}", "", *head(
            ["test set", "ranker", "recipe", "llm"], [measure, "spread", "seeds", "queries", "to base", "to control"]
        )]  # fmt: skip
        lines += [_line(row) for row in rows if (row.distribution, row.measure) == (distribution, measure)]
        lines.append("")
    return "\n".join(lines)


def _line(row: Row) -> str:
    return line(
        [row.testset, row.ranker, row.recipe, row.llm, interval(row.mean, row.ci_low, row.ci_high),
         "" if row.std is None else f"{row.std:.4f}", str(row.seeds), str(row.queries),
         _difference(row.delta_base, row.delta_base_low, row.delta_base_high, row.p_base),
         _difference(row.delta_control, row.delta_control_low, row.delta_control_high, row.p_control)]
    )  # fmt: skip


def _difference(delta: float | None, low: float | None, high: float | None, p: float | None) -> str:
    if delta is None or low is None or high is None or p is None:
        return ""
    return f"{delta:+.3f} [{low:+.3f}, {high:+.3f}] p {chance(p)}"
