"""Tables as files: tidy CSV, one line a row, a row being a frozen record whose fields are the columns; and Markdown."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from synthrank.files import atomic_text
from synthrank.tables.notes import with_notes


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
    """Write a table and its Markdown twin.

    Args:
        table: written: the table.
        markdown: written: the same for reading.
        kind: the record that a row is.
        rows: the rows.
        page: the lines of the twin.
        answers: as :func:`synthrank.tables.notes.with_notes` takes it.
        below: sentences under the table, as that function takes them.
    """
    write_rows(table, kind, rows)
    with atomic_text(markdown) as stream:
        stream.write(with_notes("\n".join(page), answers, below))


def write_rows(path: Path, kind: type, rows: Iterable[Any]) -> None:
    """Write records of one kind as CSV; what a row has not (None) is an empty field.

    Fractions get four decimals, as papers print them; p and dollars, which may be far smaller, six; e-values, which may
    be far larger, four digits.
    """
    names = [field.name for field in fields(kind)]
    with atomic_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_text(name, getattr(row, name)) for name in names] for row in rows)


def _text(name: str, value: object) -> object:
    if isinstance(value, float):
        fine = name == "p" or name.startswith("p_") or name.endswith("_usd")
        if name == "e":
            return f"{value:.4g}"
        return f"{value:.6f}" if fine else f"{value:.4f}"
    return value
