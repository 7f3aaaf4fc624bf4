"""TREC runs and qrels: the one place where ties are broken and scores are made strictly decreasing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from math import isfinite
from operator import itemgetter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthrank.errors import DataError
from synthrank.files import atomic_text, text_lines
from synthrank.records import Judgment

Run = dict[str, list[tuple[str, float]]]
"""Per query id, the (passage id, score) pairs, best first."""

Qrels = dict[str, dict[str, int]]
"""Per query id, the grade of each judged passage."""

RunLine = tuple[str, str, str, str, int]
"""Query id, passage id, rank, score, and the number of the line."""

GRADES = range(-10, 101)
"""Grades of judgments: TREC's reach from -2 (junk) to 4, and trec_eval takes memory for each up to the highest."""

_LARGEST = float(np.finfo(np.float32).max)


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
        DataError: a score is not a finite number, be it beyond the depth: no order is defined with one that is none.
    """
    pairs = list(scored)
    names = [name for name, _ in pairs]
    with np.errstate(over="ignore"):  # a score beyond 32 bits becomes infinite, and is refused as such
        scores = np.array([score for _, score in pairs], dtype=np.float32)
    if not np.isfinite(scores).all():
        worst = sorted(zip((-scores).tolist(), names, strict=True))
        score, name = next((-negative, name) for negative, name in worst if not isfinite(negative))
        raise DataError(f"passage {name}: the score is {score}; expected a finite number")
    if not (scores[1:] < scores[:-1]).all():  # else the list stays as it is, like every list of a run written here
        ordered = sorted(zip((-scores).tolist(), names, strict=True))[:depth]
        names = [name for _, name in ordered]
        scores = _strict(-np.array([low for low, _ in ordered], dtype=np.float32))
    return list(zip(names[:depth], scores[:depth].tolist(), strict=True))


def _strict(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Set each of the falling scores that is not below the one before it to the next smaller 32-bit float, in place."""
    with np.errstate(over="ignore"):  # the smallest score is followed by minus infinity
        for place in (np.flatnonzero(scores[1:] >= scores[:-1]) + 1).tolist():
            while place < len(scores) and scores[place] >= scores[place - 1]:
                scores[place] = np.nextafter(scores[place - 1], np.float32(-np.inf))
                place += 1
    return scores


def write_run(path: Path, run: Mapping[str, Iterable[tuple[str, float]]], tag: str, depth: int | None = None) -> None:
    """Write a six-column TREC run, queries in the order given, each list ranked by :func:`rank`."""
    with atomic_text(path) as stream:
        for query_id, scored in run.items():
            lines = [
                f"{query_id} Q0 {passage_id} {place} {score:.9g} {tag}\n"
                for place, (passage_id, score) in enumerate(rank(scored, depth), 1)
            ]
            stream.write("".join(lines))


def read_run(path: Path, depth: int | None = None) -> Run:
    """Read a six-column TREC run; ids stay text, lists come best first.

    Args:
        path: the run.
        depth: how many of the best of each list to keep; all by default.

    Raises:
        DataError: a line has not six columns, a score is not a finite number, or a passage is listed twice for a query.
    """
    run: Run = {}
    for query_id, lines in groupby(_run_lines(path), key=itemgetter(0)):
        if query_id in run:  # the lines of a query are not together: no list is whole before the file ends
            return {name: rank(scores.items(), depth) for name, scores in _scores(path, _run_lines(path)).items()}
        # ranked as soon as it is read, a run takes half the time that it takes to hold all lists first
        run[query_id] = rank(_scores(path, lines)[query_id].items(), depth)
    return run


def _scores(path: Path, lines: Iterable[RunLine]) -> dict[str, dict[str, float]]:
    """Return the score of each passage per query."""
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for query_id, passage_id, _, score, number in lines:
        listed = scores[query_id]
        if passage_id in listed:
            raise DataError(f"{path}:{number}: passage {passage_id} is listed twice for query {query_id}")
        listed[passage_id] = _score(score, path, number)
    return scores


def _score(text: str, path: Path, number: int) -> float:
    """Return a score as trec_eval reads it: ``float`` alone would take ``1_0`` for 10, and digits of any script."""
    try:
        score = float(text)
    except ValueError as error:
        raise DataError(f"{path}:{number}: score {text!r} is not a number") from error
    if not text.isascii() or "_" in text:
        raise DataError(f"{path}:{number}: score {text!r} is not a number in the digits 0 to 9")
    if not -_LARGEST <= score <= _LARGEST:
        raise DataError(f"{path}:{number}: score {text!r} is not a finite number of 32 bits")
    return score


def is_whole(text: str) -> bool:
    """Tell whether a text is a whole number in the digits 0 to 9, with or without a minus.

    ``int`` alone would take ``1_0`` for 10, and digits of any script.
    """
    return text.isascii() and text.removeprefix("-").isdecimal()


def grade_of(text: str, where: str) -> int:
    """Return the grade that a text states.

    Args:
        text: the grade.
        where: file, line and what the number is called there, for the error.

    Raises:
        DataError: it is not a whole number of :data:`GRADES`.
    """
    # A number that is longer than any grade is not converted: Python refuses one of some thousand digits.
    if not is_whole(text):
        raise DataError(f"{where} {text[:60]!r} is not a whole number")
    if len(text) > 20 or int(text) not in GRADES:
        raise DataError(f"{where} {text[:60]!r} is out of range; expected {GRADES.start} to {GRADES[-1]}")
    return int(text)


def ranks_of(path: Path, wanted: Mapping[str, str]) -> dict[str, int]:
    """Return, for each query of ``wanted``, the rank (from 1) of its one passage; a query whose run lacks it has none.

    For runs that :func:`write_run` wrote, whose column of ranks is right. The file is read line by line: a run of
    20 000 queries to depth 1000 would take gigabytes as a :data:`Run`.

    Raises:
        DataError: a line has not six columns, or a rank is not a whole number.
    """
    ranks = {}
    for query_id, passage_id, place, _, number in _run_lines(path):
        if wanted.get(query_id) == passage_id:
            if not is_whole(place):
                raise DataError(f"{path}:{number}: rank {place!r} is not a whole number")
            ranks[query_id] = int(place)
    return ranks


def _run_lines(path: Path) -> Iterator[RunLine]:
    for number, line in text_lines(path):
        columns = line.split()
        if len(columns) != 6:
            raise DataError(f"{path}:{number}: {len(columns)} columns; a run line has six: qid Q0 docno rank score tag")
        query_id, _, passage_id, place, score, _ = columns
        yield query_id, passage_id, place, score, number


def write_qrels(path: Path, judgments: Iterable[Judgment]) -> None:
    """Write four-column TREC qrels."""
    with atomic_text(path) as stream:
        stream.writelines(f"{item.query_id} 0 {item.passage_id} {item.grade}\n" for item in judgments)


def read_qrels(path: Path) -> Qrels:
    """Read four-column TREC qrels; ids stay text.

    Raises:
        DataError: a line has not four columns, or a grade is not a whole number of :data:`GRADES`.
    """
    qrels: Qrels = defaultdict(dict)
    for item in read_judgments(path):
        qrels[item.query_id][item.passage_id] = item.grade
    return dict(qrels)


def read_judgments(path: Path) -> Iterator[Judgment]:
    """Yield the lines of four-column TREC qrels, in their order.

    Raises:
        DataError: a line has not four columns, or a grade is not a whole number of :data:`GRADES`.
    """
    for number, line in text_lines(path):
        columns = line.split()
        if len(columns) != 4:
            raise DataError(f"{path}:{number}: {len(columns)} columns; a qrels line has four: qid 0 docno grade")
        yield Judgment(columns[0], columns[2], grade_of(columns[3], f"{path}:{number}: grade"))


def relevant(qrels: Qrels, level: int = 1) -> dict[str, set[str]]:
    """Return, per query, the passages judged at ``level`` or above; queries without one are left out."""
    chosen = {query: {name for name, grade in grades.items() if grade >= level} for query, grades in qrels.items()}
    return {query: names for query, names in chosen.items() if names}


def best_first(grades: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the relevant passages of a query with their grades, the best grade first, then by id."""
    return sorted(((name, grade) for name, grade in grades.items() if grade > 0), key=lambda item: (-item[1], item[0]))


def answers(qrels_files: Iterable[Path]) -> set[str]:
    """Return every passage that is relevant to any query of the files."""
    return {name for path in qrels_files for names in relevant(read_qrels(path)).values() for name in names}
