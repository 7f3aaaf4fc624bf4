"""The command: ``python -m synthrank.tables``, which prints the main tables' first measure and what it shows."""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cyclopts import App

from synthrank.places import MACRO
from synthrank.specs.base import NONE
from synthrank.tables.cells import FUSED
from synthrank.tables.pipes import chance

Rows = Mapping[tuple[str, str, str], Mapping[str, str]]
"""For each (ranker, recipe, LLM) its row of a table: of the macro average, or else of its only test set."""

PLACES = ("in distribution", "out of distribution")


def read(table: Path) -> Rows:
    """Return the rows of the first measure of a table."""
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    shown = [row for row in rows if row["measure"] == rows[0]["measure"]]
    names = {row["testset"] for row in shown}
    name = MACRO if MACRO in names else min(names) if len(names) == 1 else None
    return {(row["ranker"], row["recipe"], row["llm"]): row for row in shown if row["testset"] == name}


def as_text(tables: Sequence[Rows], reference: str = "human") -> str:
    """Return the means as columns, and a sentence for each comparison that the tables test.

    Args:
        tables: the in-distribution and the out-of-distribution table.
        reference: the recipe of human passages.
    """
    systems = list(dict.fromkeys(key for table in tables for key in table))
    labels = [f"{ranker}, {recipe}" + (f" by {llm}" if llm != NONE else "") for ranker, recipe, llm in systems]
    measure = next(row["measure"] for table in tables for row in table.values())
    width = max(map(len, [*labels, measure]))
    lines = [f"{measure:{width}}  {PLACES[0]:>19}  {PLACES[1]:>19}"]
    for label, system in zip(labels, systems, strict=True):
        means = (f"{float(table[system]['mean']):.3f}" if system in table else "" for table in tables)
        lines.append(f"{label:{width}}  " + "  ".join(f"{mean:>19}" for mean in means))
    return "\n".join([*lines, "", *_sentences(systems, tables, reference)])


def _sentences(systems: Sequence[tuple[str, str, str]], tables: Sequence[Rows], reference: str) -> Iterator[str]:
    for ranker, recipe, llm in systems:
        found = [table.get((ranker, recipe, llm), {}) for table in tables]
        if recipe == NONE and all(row.get("delta") for row in found):
            yield f"Training `{ranker}` on `{reference}` changes it by {_told(found, 'delta', 'p', -1)}."
        elif recipe != reference and all(row.get("delta") for row in found):
            yield f"`{ranker}` trained on `{recipe}` differs from `{reference}` by {_told(found, 'delta', 'p')}."
        if ranker.endswith(FUSED) and recipe != NONE and all(row.get("delta_first_stage") for row in found):
            told = _told(found, "delta_first_stage", "p_first_stage")
            yield f"`{ranker}` trained on `{recipe}` differs from its first stage by {told}."


def _told(rows: Sequence[Mapping[str, str]], delta: str, p: str, sign: int = 1) -> str:
    return " and ".join(
        f"{sign * float(row[delta]):+.3f} {place} (p {chance(float(row[p]))})"
        for row, place in zip(rows, PLACES, strict=True)
    )


def main(*, tables: Path = Path("results/tables")) -> None:
    """Print what the main tables show.

    Args:
        tables: the folder of id.csv and ood.csv.
    """
    sys.stdout.write(as_text([read(tables / "id.csv"), read(tables / "ood.csv")]) + "\n")


if __name__ == "__main__":
    app = App(name="tables", help=__doc__)
    app.default(main)
    app()
