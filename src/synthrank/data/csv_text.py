"""Texts in cells of CSV files that a spreadsheet shows instead of running them as formulas.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@``. The ids of queries come from strangers. Such a
cell is written with an apostrophe before it (OWASP, CSV injection). Numbers are written as they are.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r\ufeff]")
"""A text that is protected. Apostrophes are included, so that every text can be read back. A byte order mark is
included, because readers refuse it at the start of a line."""

_PROTECTED = re.compile(r"''*[=+\-@\t\r\ufeff]")


def protect(cell: Any) -> Any:
    """Return a cell as it is written: a text that a spreadsheet would run has an apostrophe before it."""
    if not isinstance(cell, str) or not _FORMULA.match(cell):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def restore(text: str) -> str:
    """Return the text of a written cell."""
    return text[1:] if _PROTECTED.match(text) else text


def dict_rows(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file with their texts restored, by column."""
    for row in csv.DictReader(lines):
        yield {name: restore(text) for name, text in row.items()}
