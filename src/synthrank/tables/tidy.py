"""Tidy tables: one CSV line a row, a row being a frozen record whose fields are the columns."""

import csv
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from synthrank.files import atomic_text


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
