"""Files of measured values, written by the stage metrics and read by the stage tables."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import isfinite
from operator import attrgetter
from pathlib import Path

from synthrank.data.csv_text import protect, restore
from synthrank.data.files import atomic_text, text_lines
from synthrank.errors import DataError

HUMAN, REWRITTEN = "human", "rewritten"
"""The wordings of a mixed corpus. A measure has one value per wording."""


def add_wording(measure: str, wording: str) -> str:
    """Return the name of a measure that uses only the qrels of one wording."""
    return f"{measure} {wording}"


@dataclass(frozen=True, slots=True)
class Score:
    """The value of a measure for a query of a run. ``seed`` is empty if the run has no seed.

    If the cutoff of the measure exceeds the depth of the run, the file has an empty value, which is read as None.
    """

    ranker: str
    recipe: str
    llm: str
    seed: str
    testset: str
    measure: str
    query_id: str
    value: float | None


def write_scores(path: Path, scores: Iterable[Score]) -> None:
    """Write scores as CSV, one per line."""
    with atomic_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        names = [field.name for field in fields(Score)]
        writer.writerow(names)
        rows = map(attrgetter(*names), scores)  # astuple copies each value and takes ten times as long
        writer.writerows((protect(ranker), *system, protect(query), value) for ranker, *system, query, value in rows)


def read_scores(path: Path) -> list[Score]:
    """Read scores from :func:`write_scores`.

    Raises:
        DataError: the columns differ from the fields of :class:`Score`, or a value is not a finite number.
    """
    names = [field.name for field in fields(Score)]
    rows = csv.reader((line for _, line in text_lines(path)), strict=True)
    try:
        if next(rows, None) != names:
            raise DataError(f"{path}:1: not a file of scores; expected the columns {', '.join(names)}")
        return [_read_score(row, f"{path}:{rows.line_num}") for row in rows]
    except csv.Error as error:
        raise DataError(f"{path}:{rows.line_num}: not CSV ({error})") from error


def _read_score(row: list[str], place: str) -> Score:
    if len(row) != len(fields(Score)):
        raise DataError(f"{place}: {len(row)} columns; a score has {len(fields(Score))}")
    ranker, recipe, llm, seed, testset, measure, query, text = row
    try:
        value = float(text) if text else None
    except ValueError as error:
        raise DataError(f"{place}: value {text[:60]!r} is not a number") from error
    if value is not None and not isfinite(value):
        raise DataError(f"{place}: value {text!r} is not a finite number")
    return Score(restore(ranker), recipe, llm, seed, testset, measure, restore(query), value)
