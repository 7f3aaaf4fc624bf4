"""TREC runs and qrels: the one place where ties are broken and scores are made strictly decreasing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from synthrank.errors import DataError
from synthrank.files import atomic_text, text_lines
from synthrank.records import Judgment

Run = dict[str, list[tuple[str, float]]]
"""Per query id, the (passage id, score) pairs, best first."""

Qrels = dict[str, dict[str, int]]
"""Per query id, the grade of each judged passage."""


def rank(scored: Iterable[tuple[str, float]], depth: int | None = None) -> list[tuple[str, float]]:
    """Order (passage id, score) pairs by falling score, ties by rising passage id, and make the scores strict.

    trec_eval compares scores as 32-bit floats and breaks ties by falling document number, other tools otherwise.
    Where two scores would be equal as such, the lower-ranked one is set to the next smaller 32-bit float, so
    every tool reads the same order.

    Args:
        scored: the pairs, in any order.
        depth: how many to keep; all by default.

    Returns:
        The pairs, best first.

    Raises:
        DataError: a score is not a finite number.
    """
    pairs = sorted(((name, np.float32(score)) for name, score in scored), key=lambda pair: (-pair[1], pair[0]))[:depth]
    strict: list[tuple[str, float]] = []
    last = np.float32(np.inf)
    for name, score in pairs:
        if not np.isfinite(score):
            raise DataError(f"passage {name}: the score is {score}; expected a finite number")
        last = score if score < last else np.nextafter(last, np.float32(-np.inf))
        strict.append((name, float(last)))
    return strict


def write_run(path: Path, run: Mapping[str, Iterable[tuple[str, float]]], tag: str, depth: int | None = None) -> None:
    """Write a six-column TREC run, queries in the order given, each list ranked by :func:`rank`."""
    with atomic_text(path) as stream:
        for query_id, scored in run.items():
            for place, (passage_id, score) in enumerate(rank(scored, depth), 1):
                stream.write(f"{query_id} Q0 {passage_id} {place} {score:.9g} {tag}\n")


def read_run(path: Path) -> Run:
    """Read a six-column TREC run; ids stay text, lists come best first.

    Raises:
        DataError: a line has not six columns, a score is no number, or a passage is listed twice for a query.
    """
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for number, line in text_lines(path):
        columns = line.split()
        if len(columns) != 6:
            raise DataError(f"{path}:{number}: {len(columns)} columns; a run line has six: qid Q0 docno rank score tag")
        query_id, _, passage_id, _, score, _ = columns
        if passage_id in scores[query_id]:
            raise DataError(f"{path}:{number}: passage {passage_id} is listed twice for query {query_id}")
        try:
            scores[query_id][passage_id] = float(score)
        except ValueError as error:
            raise DataError(f"{path}:{number}: score {score!r} is not a number") from error
    return {query_id: rank(scored.items()) for query_id, scored in scores.items()}


def write_qrels(path: Path, judgments: Iterable[Judgment]) -> None:
    """Write four-column TREC qrels."""
    with atomic_text(path) as stream:
        stream.writelines(f"{item.query_id} 0 {item.passage_id} {item.grade}\n" for item in judgments)


def read_qrels(path: Path) -> Qrels:
    """Read four-column TREC qrels; ids stay text.

    Raises:
        DataError: a line has not four columns, or a grade is not a whole number.
    """
    qrels: Qrels = defaultdict(dict)
    for number, line in text_lines(path):
        columns = line.split()
        if len(columns) != 4:
            raise DataError(f"{path}:{number}: {len(columns)} columns; a qrels line has four: qid 0 docno grade")
        try:
            qrels[columns[0]][columns[2]] = int(columns[3])
        except ValueError as error:
            raise DataError(f"{path}:{number}: grade {columns[3]!r} is not a whole number") from error
    return dict(qrels)


def relevant(qrels: Qrels, level: int = 1) -> dict[str, set[str]]:
    """Return, per query, the passages judged at ``level`` or above; queries without one are left out."""
    chosen = {query: {name for name, grade in grades.items() if grade >= level} for query, grades in qrels.items()}
    return {query: names for query, names in chosen.items() if names}


def answers(qrels_files: Iterable[Path]) -> set[str]:
    """Return every passage that is relevant to any query of the files."""
    return {name for path in qrels_files for names in relevant(read_qrels(path)).values() for name in names}
