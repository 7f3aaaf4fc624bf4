"""Step make_validity_table: what training sets are like, and what of them test sets hold too."""

from pathlib import Path

from synthrank.files import atomic_text
from synthrank.tables.tidy import write_rows
from synthrank.tables.validity_markdown import leaks_page, validity_page
from synthrank.tables.validity_rows import Leaked, Measured, read_leaked, read_measured


def make_validity_table(
    *,
    statistics: list[Path],
    controls: list[Path],
    reference: str,
    leaks: list[Path],
    validity: Path,
    validity_markdown: Path,
    table: Path,
    markdown: Path,
) -> None:
    """Make both tables, tidy as CSV and, for reading, as Markdown.

    Args:
        statistics: of each training set, in the order of the rows; its folders' names are the LLM's and the recipe's.
        controls: of the matched controls of each, in the same order.
        reference: the recipe of human passages whose lengths were matched; ``none`` where there is none.
        leaks: the counts of leaks of each, in the same order.
        validity: written: the table of statistics.
        validity_markdown: written: the same for reading.
        table: written: the table of leaks.
        markdown: written: the same for reading.
    """
    measured = [row for paths in zip(statistics, controls, strict=True) for row in read_measured(*paths, reference)]
    leaked = [row for path in leaks for row in read_leaked(path)]
    write_rows(validity, Measured, measured)
    write_rows(table, Leaked, leaked)
    for path, page in ((validity_markdown, validity_page(measured)), (markdown, leaks_page(leaked))):
        with atomic_text(path) as stream:
            stream.write(page)
