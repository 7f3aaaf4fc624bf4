"""Tables, figures and words as the page shows them: tables with the words and numbers of the CSV files, unchanged."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from markdown_it import MarkdownIt

from synthrank.report.columns import meaning

MARK = "†"
"""Behind a value whose difference has a p below alpha by Holm's method, as in the tables' Markdown twins."""

CHOICES, SHORT = 20, 34
"""A column with up to so many different words, none of more characters, is one to choose by."""

PLACES = {"choice": 0, "word": 0, "number": 1, "text": 2}
"""From left to right: what a row is about, what was measured, what takes long to read."""

ALIKE = 3
"""Of fewer rows nothing is said to be the same in all."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is shown, and what it is sorted by."""

    text: str
    order: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its key in the file, what stands above it, what that means, and what its cells hold.

    A ``choice`` is a word out of few; a ``text`` is longer than one line.
    """

    key: str
    label: str
    meaning: str
    kind: Literal["number", "choice", "word", "text"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A table: its file, its columns, its rows, what every row has in common, and whether a row bears the mark."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    common: tuple[tuple[str, str], ...]
    marked: bool


def read_shown(path: Path, alpha: float) -> Shown:
    """Read a table.

    A value and its interval become one cell, ``mean [low, high]``. A column that says the same in every row leaves the
    rows. No number is computed or rounded.

    Args:
        path: a tidy table.
        alpha: a value whose row has a p by Holm's method below it is marked.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        names, rows = list(reader.fieldnames or ()), list(reader)
    bounds = _bounds(names)
    keys = [name for name in names if not any(name in pair for pair in bounds.values())]
    common = [key for key in keys if len(rows) >= ALIKE and len({row[key] for row in rows}) == 1]
    keys = [key for key in keys if key not in common]
    marked_column = next((key for key in bounds if key in keys), "") if {"delta", "p_holm"} <= {*names} else ""
    columns = tuple(sorted((_column(key, rows, key in bounds) for key in keys), key=lambda item: PLACES[item.kind]))
    order = [column.key for column in columns]
    cells = tuple(
        tuple(_cell(row, key, bounds.get(key), alpha if key == marked_column else None) for key in order)
        for row in rows
    )
    marked = any(cell.text.endswith(MARK) for row in cells for cell in row)
    alike = tuple((meaning(key).label, rows[0][key]) for key in common if rows[0][key])
    return Shown(path.stem, columns, cells, alike, marked)


def _bounds(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return for each value that has an interval the columns of its ends."""
    found = {name: (f"{name}_low", f"{name}_high") for name in names if f"{name}_low" in names}
    value = next((name for name in ("mean", "effect", "value", "relative") if name in names), None)
    return found | ({value: ("ci_low", "ci_high")} if value and "ci_low" in names else {})


def _cell(row: Mapping[str, str], key: str, bounds: tuple[str, str] | None, alpha: float | None) -> Cell:
    value = row[key]
    ends = [row[end] for end in bounds if row[end]] if bounds else []
    text = f"{value} [{', '.join(ends)}]" if value and ends else value
    is_sure = alpha is not None and bool(value) and bool(row["p_holm"]) and float(row["p_holm"]) < alpha
    return Cell(text + MARK if is_sure else text, value)


def _column(key: str, rows: Sequence[Mapping[str, str]], has_interval: bool) -> Column:
    values = list(dict.fromkeys(row[key] for row in rows))
    said = meaning(key)
    label = said.label + (" [interval]" if has_interval else "")
    if any(values) and all(_is_number(value) for value in values if value):
        return Column(key, label, said.text, "number")
    if any(len(value) > SHORT for value in values):
        return Column(key, label, said.text, "text")
    return Column(key, label, said.text, "choice" if 2 <= len(values) <= CHOICES else "word")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its name, title, caption (what it shows and what it does not), and Vega-Lite specification."""

    name: str
    title: str
    caption: tuple[str, ...]
    spec: dict[str, Any]


def read_figure(path: Path) -> Figure:
    """Read results/figures/{figure}.vl.json; its title leaves the drawing, for words of a page wrap on a phone."""
    spec = json.loads(path.read_text(encoding="utf-8"))
    title = spec.pop("title", {"text": path.name})
    return Figure(path.name.removesuffix(".vl.json"), title["text"], tuple(title.get("subtitle", ())), spec)


_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def read_prose(path: Path) -> list[str]:
    """Return the paragraphs of a twin as HTML, without its headings and tables. HTML in it stays text."""
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(("|", "#"))]
    paragraphs = [part.strip() for part in "\n".join(kept).split("\n\n")]
    return [_MARKDOWN.render(part) for part in paragraphs if part]
