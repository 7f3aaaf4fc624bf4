"""The table of preferences for reading: one section a test set, one row a system."""

from collections.abc import Sequence

from synthrank.specs.experiment import Intervals
from synthrank.tables.bias import Row
from synthrank.tables.pipes import difference, head, line, paragraphs, what_p_is


def as_markdown(rows: Sequence[Row], measure: str, intervals: Intervals) -> str:
    """Return the Markdown twin of the table.

    Args:
        rows: the table.
        measure: what was measured.
        intervals: how intervals and p were made.
    """
    lines = [
        "# Which wording rankers prefer",
        "",
        *paragraphs(
            "Every passage stands in the collection twice, as people wrote it and as a language model rewrote it, and "
            f"answers the same questions. `human` is {measure} with human passages alone judged relevant, `rewritten` "
            "the same with rewritten ones; each ranking serves both. The relative difference is 2 (human - rewritten) "
            "/ (human + rewritten) in percent: above 0 the ranker puts human passages first, below 0 rewritten ones "
            f"[{intervals.confidence:.0%} bootstrap interval over queries]. Recipe `none` is the model before "
            "training, or a first stage. In parentheses p of the plain difference.",
        ),
    ]
    for testset in dict.fromkeys(row.testset for row in rows):
        words, numbers = ["ranker", "recipe", "llm", "seeds"], ["human", "rewritten", "relative %", "difference"]
        lines += [f"## {testset}", "", *head(words, numbers)]
        lines += [_line(row) for row in rows if row.testset == testset]
        lines.append("")
    return "\n".join([*lines, *paragraphs(what_p_is())]).rstrip("\n") + "\n"


def _line(row: Row) -> str:
    names = [row.ranker, row.recipe, row.llm, str(row.seeds)]
    return line([*names, f"{row.human:.3f}", f"{row.rewritten:.3f}", _percent(row), difference(row.delta, row.p)])


def _percent(row: Row) -> str:
    if row.relative is None:
        return ""
    return f"{row.relative:+.1f} [{row.ci_low:+.1f}, {row.ci_high:+.1f}]"
