"""The command ``python scripts/show_tables.py``: print the small tables of an experiment."""

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from synthrank.config.distribution import TITLES
from synthrank.data.csv_text import dict_rows
from synthrank.steps.tables.id_ood_rows import MainRow
from synthrank.steps.tables.markdown import align_columns
from synthrank.steps.tables.small_table import MARK, SmallTable, small_table

ALPHA = 0.05


def read_main_rows(table: Path) -> list[MainRow]:
    """Return the rows of id.csv or ood.csv; columns that the file lacks keep their defaults."""
    kinds: dict[str, Any] = {field.name: field.type for field in fields(MainRow)}
    with table.open(newline="", encoding="utf-8") as stream:
        return [
            MainRow(**{"std": None} | {name: _parse(kinds[name], text) for name, text in row.items() if name in kinds})
            for row in dict_rows(stream)
        ]


def _parse(kind: Any, text: str) -> Any:
    if kind is str:
        return text
    if text == "":
        return None
    return int(text) if kind is int else float(text)


def format_small_table(title: str, table: SmallTable) -> str:
    """Return a small table as aligned text with its title and its sentences."""
    marked = [[name, *(cell if cell.endswith(MARK) else f"{cell} " for cell in cells)] for name, *cells in table.lines]
    lines = align_columns([[table.head[0], *(f"{name} " for name in table.head[1:])], *marked])
    return "\n".join([f"{title}: {table.title}", "", *(line.rstrip() for line in lines), "", *table.notes])


def main(*, tables: Path = Path("results/tables")) -> None:
    """Print the small tables of an experiment: in and out of distribution.

    Args:
        tables: the folder of id.csv and ood.csv.
    """
    for name, title in TITLES.items():
        rows = read_main_rows(tables / f"{name}.csv")
        table = small_table(rows, ALPHA, MARK) if rows else None
        if table:
            sys.stdout.write(format_small_table(title, table) + "\n\n")
    sys.stdout.write(f"Every test set and measure: {tables}/ood.md and {tables}/id.md\n")
