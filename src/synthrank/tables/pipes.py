"""Tables in Markdown, line by line."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType


def line(cells: Iterable[str]) -> str:
    """Return one row."""
    return "| " + " | ".join(cells) + " |"


def head(words: list[str], numbers: list[str]) -> list[str]:
    """Return the two lines that open a table: columns of words, then columns of numbers, which stand to the right."""
    return [line([*words, *numbers]), line(["---"] * len(words) + ["---:"] * len(numbers))]


def section(title: str, words: list[str], numbers: list[str], lines: Iterable[str]) -> list[str]:
    """Return the lines of a section that is one table."""
    return [f"## {title}", "", *head(words, numbers), *lines, ""]


def pivoted(
    cells: Iterable[tuple[tuple[str, ...], str, str]],
    columns: Sequence[str],
    missing: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return one line for all cells that begin with the same words.

    Args:
        cells: (words that the line begins with, column, content) of each cell.
        columns: the columns after the words, in their order.
        missing: per column the content where a line has no cell; nothing by default.
    """
    lines: dict[tuple[str, ...], dict[str, str]] = {}
    for words, column, content in cells:
        lines.setdefault(words, {})[column] = content
    return [line([*words, *(found.get(name, missing.get(name, "")) for name in columns)])
            for words, found in lines.items()]  # fmt: skip


def interval(mean: float, low: float, high: float, digits: int = 3) -> str:
    """Return a mean and its interval."""
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def difference(delta: float | None, p: float | None) -> str:
    """Return a difference and its p, nothing where nothing was compared."""
    if delta is None or p is None:
        return ""
    return f"{delta:+.3f} (p {chance(p)})"


def chance(p: float) -> str:
    """Return a p."""
    return "< .001" if p < 0.0005 else f"{p:.3f}".lstrip("0")


def paragraphs(*texts: str) -> list[str]:
    """Return texts as paragraphs, in lines of an even width."""
    return [line for text in texts for line in [*textwrap.wrap(text, 110, break_on_hyphens=False), ""]]


def what_p_is() -> str:
    """Return what the p of :func:`synthrank.tables.paired.compare` says, and what it does not."""
    return (
        f"p: two-sided, {test_of_queries_and_seeds()} **The p are not corrected for how many stand here**: of twenty "
        "tests of what does not differ, about one has p below .05. A large p is no evidence of equality."
    )


def test_of_queries_and_seeds() -> str:
    """Return which test a difference's p is of, and what it speaks of."""
    return (
        "of a two-way test over queries and training seeds (quasi-F, Clark 1973, with Satterthwaite's degrees of "
        "freedom). Two systems trained with the same several seeds are paired seed by seed, and p speaks of other "
        "queries and other seeds, with fewer than five seeds somewhat too small where seeds differ widely; otherwise "
        "seeds are averaged first, and p, of a paired t test, speaks of other queries alone."
    )
