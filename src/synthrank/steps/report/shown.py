"""Read tables, figures and explanations for the page. Words and numbers of the CSV files are not changed."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from markdown_it import MarkdownIt

from synthrank.data.csv_text import dict_rows
from synthrank.steps.report.columns import meaning

MARK = "†"
"""Marks a value whose Holm-adjusted p is below alpha, as in the Markdown copies."""

CHOICES, SHORT = 20, 34
"""A column is a filter if it has at most this many different words, with at most this many characters."""

PLACES = {"choice": 0, "word": 0, "number": 1, "text": 2}
"""The order of columns from left to right: words, numbers, long texts."""

ALIKE = 3
"""Tables with fewer rows keep columns with one value."""


@dataclass(frozen=True, slots=True)
class DisplayCell:
    """The text of a cell, and its sort key."""

    text: str
    order: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its key in the file, its label, its meaning and the kind of its cells.

    A ``choice`` has few different words; a ``text`` is longer than one line.
    """

    key: str
    label: str
    meaning: str
    kind: Literal["number", "choice", "word", "text"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A table: its name, columns, rows, the values that all rows have in common, and whether a row is marked."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[DisplayCell, ...], ...]
    common: tuple[tuple[str, str], ...]
    marked: bool


def read_shown(path: Path, alpha: float) -> Shown:
    """Read a table.

    A value and its interval become one cell, ``mean [low, high]``. A column with one value in all rows is removed from
    the rows. No number is computed or rounded.

    Args:
        path: a tidy table.
        alpha: a value is marked if the Holm-adjusted p of its row is below alpha.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        names = next(csv.reader(stream), [])
        stream.seek(0)
        rows = list(dict_rows(stream))
    bounds = _find_bounds(names)
    keys = [name for name in names if not any(name in pair for pair in bounds.values())]
    common = [key for key in keys if len(rows) >= ALIKE and len({row[key] for row in rows}) == 1]
    keys = [key for key in keys if key not in common]
    marked_column = next((key for key in bounds if key in keys), "") if {"delta", "p_holm"} <= {*names} else ""
    columns = tuple(
        sorted((_show_column(key, rows, key in bounds) for key in keys), key=lambda item: PLACES[item.kind])
    )
    order = [column.key for column in columns]
    cells = tuple(
        tuple(_show_cell(row, key, bounds.get(key), alpha if key == marked_column else None) for key in order)
        for row in rows
    )
    marked = any(cell.text.endswith(MARK) for row in cells for cell in row)
    alike = tuple((meaning(key).label, rows[0][key]) for key in common if rows[0][key])
    return Shown(path.stem, columns, cells, alike, marked)


def _find_bounds(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return, for each column with an interval, the columns of its lower and upper bound."""
    found = {name: (f"{name}_low", f"{name}_high") for name in names if f"{name}_low" in names}
    value = next((name for name in ("mean", "effect", "value", "relative") if name in names), None)
    return found | ({value: ("ci_low", "ci_high")} if value and "ci_low" in names else {})


def _show_cell(row: Mapping[str, str], key: str, bounds: tuple[str, str] | None, alpha: float | None) -> DisplayCell:
    value = row[key]
    ends = [row[end] for end in bounds if row[end]] if bounds else []
    text = f"{value} [{', '.join(ends)}]" if value and ends else value
    is_sure = alpha is not None and bool(value) and bool(row["p_holm"]) and float(row["p_holm"]) < alpha
    return DisplayCell(text + MARK if is_sure else text, value)


def _show_column(key: str, rows: Sequence[Mapping[str, str]], has_interval: bool) -> Column:
    values = list(dict.fromkeys(row[key] for row in rows))
    found = meaning(key)
    label = found.label + (" [interval]" if has_interval else "")
    if any(values) and all(_is_number(value) for value in values if value):
        return Column(key, label, found.text, "number")
    if any(len(value) > SHORT for value in values):
        return Column(key, label, found.text, "text")
    return Column(key, label, found.text, "choice" if 2 <= len(values) <= CHOICES else "word")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its name, title, caption and Vega-Lite specification."""

    name: str
    title: str
    caption: tuple[str, ...]
    spec: dict[str, Any]


def read_figure(path: Path) -> Figure:
    """Read results/figures/{figure}.vl.json. The title moves from the drawing to the page, so that it can wrap."""
    spec = json.loads(path.read_text(encoding="utf-8"))
    title = spec.pop("title", {"text": path.name})
    return Figure(path.name.removesuffix(".vl.json"), title["text"], tuple(title.get("subtitle", ())), spec)


_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def read_prose(path: Path) -> list[str]:
    """Return the paragraphs of a Markdown copy as HTML, without headings and tables. HTML in it is escaped."""
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(("|", "#"))]
    paragraphs = [part.strip() for part in "\n".join(kept).split("\n\n")]
    return [_MARKDOWN.render(part) for part in paragraphs if part]
