"""Lines of tables in Markdown and in plain text."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType


def format_line(cells: Iterable[str]) -> str:
    """Return one row."""
    return "| " + " | ".join(cells) + " |"


def format_head(words: list[str], numbers: list[str]) -> list[str]:
    """Return the two lines that open a table: left-aligned columns of words, then right-aligned columns of numbers."""
    return [format_line([*words, *numbers]), format_line(["---"] * len(words) + ["---:"] * len(numbers))]


def format_section(title: str, words: list[str], numbers: list[str], lines: Iterable[str]) -> list[str]:
    """Return the lines of a section with one table."""
    return [f"## {title}", "", *format_head(words, numbers), *lines, ""]


def pivot(
    cells: Iterable[tuple[tuple[str, ...], str, str]],
    columns: Sequence[str],
    missing: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return one line for all cells that begin with the same words.

    Args:
        cells: (words at the beginning of the line, column, content) of each cell.
        columns: the columns after the words, in their order.
        missing: per column the content if a line has no cell; empty by default.
    """
    lines: dict[tuple[str, ...], dict[str, str]] = {}
    for words, column, content in cells:
        lines.setdefault(words, {})[column] = content
    return [format_line([*words, *(found.get(name, missing.get(name, "")) for name in columns)])
            for words, found in lines.items()]  # fmt: skip


def format_interval(mean: float, low: float, high: float, digits: int = 3) -> str:
    """Return a mean and its interval."""
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def format_difference(delta: float | None, p: float | None) -> str:
    """Return a difference and its p-value; empty without a comparison."""
    if delta is None or p is None:
        return ""
    return f"{delta:+.3f} (p {format_p(p)})"


def format_p(p: float) -> str:
    """Return a p-value with three decimals."""
    return "< .001" if p < 0.0005 else f"{p:.3f}".lstrip("0")


def wrap_paragraphs(*texts: str) -> list[str]:
    """Return texts as paragraphs, in lines of an even width."""
    return [line for text in texts for line in [*textwrap.wrap(text, 110, break_on_hyphens=False), ""]]


def align_columns(lines: Sequence[Sequence[str]], words: int = 1) -> list[str]:
    """Return lines whose columns are as wide as their widest cell.

    Args:
        lines: the cells of each line.
        words: the number of left-aligned columns; the others are right-aligned.
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = ["<"] * words + [">"] * (len(widths) - words)
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(line, sides, widths, strict=True))
        for line in lines
    ]


def explain_p() -> str:
    """Return the meaning of the p-values of :func:`synthrank.stats.paired.compare`."""
    return (
        f"p: two-sided. {explain_test()} **The p-values are not corrected for the number of tests**: among twenty true "
        "null hypotheses, about one has p < .05. A large p does not show equality."
    )


def explain_test() -> str:
    """Return the name of the test behind a difference's p-value, and the populations that it generalises to."""
    return (
        "The two-way test over queries and training seeds is used (quasi-F, Clark 1973, with Satterthwaite's degrees "
        "of freedom). Two systems with the same seeds, at least two, are paired by seed; p then accounts for the "
        "variance of queries and of seeds. With fewer than five seeds, p is slightly too small if seeds differ "
        "widely. Otherwise seeds are averaged first, and p, from a paired t test, accounts only for the variance of "
        "queries."
    )
