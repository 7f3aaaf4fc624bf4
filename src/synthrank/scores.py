"""Measured values as files: what the metrics stage writes and the tables stage reads."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import atomic_text, text_lines

HUMAN, REWRITTEN = "human", "rewritten"
"""The wordings of a mixed corpus, by which one measure has two values."""


def worded(measure: str, wording: str) -> str:
    """Return the name of a measure by the qrels of one wording alone."""
    return f"{measure} {wording}"


@dataclass(frozen=True, slots=True)
class Score:
    """The value of one measure for one query of one run; ``seed`` is empty for a run without one.

    ``value`` is None, and an empty field of the file, where the measure looks deeper than the lists of the run.
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
    """Write scores as CSV, one a line."""
    with atomic_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([field.name for field in fields(Score)])
        writer.writerows(astuple(score) for score in scores)


def read_scores(path: Path) -> list[Score]:
    """Read what :func:`write_scores` wrote.

    Raises:
        DataError: the columns are not those of a score.
    """
    rows = csv.reader(line for _, line in text_lines(path))
    if next(rows, None) != [field.name for field in fields(Score)]:
        raise DataError(
            f"{path}: not a file of scores; expected the columns {', '.join(f.name for f in fields(Score))}"
        )
    return [
        Score(ranker, recipe, llm, seed, testset, measure, query, float(value) if value else None)
        for ranker, recipe, llm, seed, testset, measure, query, value in rows
    ]
