"""Write tables as tidy CSV files, one line per row, and as Markdown copies. A row is a frozen record."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from synthrank.data.csv_text import protect
from synthrank.data.files import atomic_text
from synthrank.steps.tables.notes import add_notes


def write_table(
    table: Path,
    markdown: Path,
    kind: type,
    rows: Iterable[Any],
    page: Sequence[str],
    *,
    answers: Sequence[Path] = (),
    below: Sequence[str] = (),
) -> None:
    """Write a table and its Markdown copy.

    Args:
        table: written: the CSV file.
        markdown: written: the Markdown copy.
        kind: the class of the rows, whose fields are the columns.
        rows: the rows.
        page: the lines of the Markdown copy.
        answers: see :func:`synthrank.steps.tables.notes.add_notes`.
        below: sentences below the table, see the same function.
    """
    write_rows(table, kind, rows)
    with atomic_text(markdown) as stream:
        stream.write(add_notes("\n".join(page), answers, below))


def write_rows(path: Path, kind: type, rows: Iterable[Any]) -> None:
    """Write records of one class as CSV. A value of None is an empty field.

    Columns that are empty in every row are left out; a table without rows has all columns. Fractions have four
    decimals. p-values and dollars can be far smaller and have six; e-values can be far larger and have four digits. A
    spreadsheet shows all texts (:mod:`synthrank.data.csv_text`).
    """
    names, kept = [field.name for field in fields(kind)], list(rows)
    if kept:
        names = [name for name in names if any(getattr(row, name) not in (None, "") for row in kept)]
    with atomic_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_format_value(name, getattr(row, name)) for name in names] for row in kept)


def _format_value(name: str, value: object) -> object:
    if isinstance(value, float):
        fine = name == "p" or name.startswith("p_") or name.endswith("_usd")
        if name == "e":
            return f"{value:.4g}"
        return f"{value:.6f}" if fine else f"{value:.4f}"
    return protect(value)
