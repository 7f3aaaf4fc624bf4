"""Read and write TREC runs and qrels, break ties and make scores strictly decreasing."""

import logging
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from math import inf, isfinite
from operator import gt, itemgetter
from pathlib import Path
from struct import pack, unpack

from synthrank.data.files import atomic_text, text_lines
from synthrank.data.records import Judgment
from synthrank.errors import DataError

log = logging.getLogger(__name__)

Run = dict[str, list[tuple[str, float]]]
"""Per query id, the (passage id, score) pairs, best first."""

Qrels = dict[str, dict[str, int]]
"""Per query id, the grade of each judged passage."""

RunLine = tuple[str, str, str, str, int]
"""Query id, passage id, rank, score, and the number of the line."""

GRADES = range(-10, 101)
"""Valid grades. TREC uses -2 (junk) to 4. The memory of trec_eval grows with the highest grade."""

_LARGEST = 2.0**128 - 2.0**104
"""The largest 32-bit float. The import of numpy would take longer than to read a run."""


def rank(scored: Iterable[tuple[str, float]], depth: int | None = None) -> list[tuple[str, float]]:
    """Sort (passage id, score) pairs by descending score and ascending id, and make scores strictly decreasing.

    trec_eval compares scores as 32-bit floats and breaks ties by descending id. Other tools break them differently.
    Therefore the lower of two equal scores becomes the next smaller 32-bit float, and all tools read the same order.

    Args:
        scored: the pairs, in any order.
        depth: the number of pairs to keep; by default all.

    Returns:
        The pairs, best first.

    Raises:
        DataError: a score, even beyond the depth, is not a finite number.
    """
    pairs = list(scored)
    names = [name for name, _ in pairs]
    scores = array("f", [score for _, score in pairs]).tolist()  # larger numbers become infinite
    if not all(map(isfinite, scores)):
        worst = sorted((-score, name) for name, score in zip(names, scores, strict=True))
        score, name = next((-negative, name) for negative, name in worst if not isfinite(negative))
        raise DataError(f"passage {name}: the score is {score}; expected a finite number")
    if not all(map(gt, scores, scores[1:])):  # runs from write_run are already strict
        ordered = sorted((-score, name) for name, score in zip(names, scores, strict=True))[:depth]
        names = [name for _, name in ordered]
        scores = _make_strict([-low for low, _ in ordered])
    return list(zip(names[:depth], scores[:depth], strict=True))


def _make_strict(scores: Iterable[float]) -> list[float]:
    """Return strictly decreasing 32-bit scores: a score that repeats the previous one becomes the next smaller."""
    strict: list[float] = []
    before = inf
    for score in scores:
        before = score if score < before else _next_below(before)
        strict.append(before)
    return strict


def _next_below(score: float) -> float:
    """Return the next smaller 32-bit float. Minus infinity follows the smallest number and itself."""
    if score == -inf:
        return score
    (bits,) = unpack("<i", pack("<f", score or -0.0))  # the top bit is the sign; the others increase with the magnitude
    below: float = unpack("<f", pack("<i", bits - 1 if score > 0 else bits + 1))[0]
    return below


def write_run(path: Path, run: Mapping[str, Iterable[tuple[str, float]]], tag: str, depth: int | None = None) -> None:
    """Write a TREC run with queries in their given order and rankings from :func:`rank`.

    Raises:
        DataError: a score is not finite, or an id or the tag is empty or has white space.
    """
    with atomic_text(path) as stream:
        for query_id, scored in run.items():
            ranked = rank(scored, depth)
            text = "".join(
                f"{query_id} Q0 {passage_id} {place} {score:.9g} {tag}\n"
                for place, (passage_id, score) in enumerate(ranked, 1)
            )
            columns = text.split()
            if columns[2::6] != [name for name, _ in ranked] or columns[::6] != [query_id] * len(ranked):
                raise DataError(f"{path}: query {query_id!r}: an id is empty or has white space; nothing is written")
            stream.write(text)


def read_run(path: Path, depth: int | None = None) -> Run:
    """Read a TREC run. Ids are text, and rankings are best first.

    Args:
        path: the run.
        depth: the number of passages to keep per query; by default all.

    Raises:
        DataError: a line has another number of columns, a score is not finite, or a query has a passage twice.
    """
    run: Run = {}
    for query_id, lines in groupby(_run_lines(path), key=itemgetter(0)):
        if query_id in run:  # the lines of a query are scattered: read the whole file first
            return {name: rank(scores.items(), depth) for name, scores in _read_scores(path, _run_lines(path)).items()}
        # Ranking each query immediately takes half the time of ranking after the last line.
        run[query_id] = rank(_read_scores(path, lines)[query_id].items(), depth)
    return run


def _read_scores(path: Path, lines: Iterable[RunLine]) -> dict[str, dict[str, float]]:
    """Return the score of each passage per query."""
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for query_id, passage_id, _, score, number in lines:
        listed = scores[query_id]
        if passage_id in listed:
            raise DataError(f"{path}:{number}: passage {passage_id} is listed twice for query {query_id}")
        listed[passage_id] = _score(score, path, number)
    return scores


def _score(text: str, path: Path, number: int) -> float:
    """Return a score as trec_eval reads it. ``float`` would also accept ``1_0`` and digits of other scripts."""
    try:
        score = float(text)
    except ValueError as error:
        raise DataError(f"{path}:{number}: score {text[:60]!r} is not a number") from error
    if not text.isascii() or "_" in text:
        raise DataError(f"{path}:{number}: score {text[:60]!r} is not a number in the digits 0 to 9")
    if not -_LARGEST <= score <= _LARGEST:
        raise DataError(f"{path}:{number}: score {text[:60]!r} is not a finite number of 32 bits")
    return score


def is_whole(text: str) -> bool:
    """Return whether a text is a whole number in the digits 0 to 9, with an optional minus.

    ``int`` would also accept ``1_0`` and digits of other scripts.
    """
    return text.isascii() and text.removeprefix("-").isdecimal()


def grade_of(text: str, where: str) -> int:
    """Return a grade as a number.

    Args:
        text: the grade.
        where: file, line and name of the number, for the error.

    Raises:
        DataError: the text is not a whole number of :data:`GRADES`.
    """
    # int() refuses numbers with thousands of digits.
    if not is_whole(text):
        raise DataError(f"{where} {text[:60]!r} is not a whole number")
    if len(text) > 20 or int(text) not in GRADES:
        raise DataError(f"{where} {text[:60]!r} is out of range; expected {GRADES.start} to {GRADES[-1]}")
    return int(text)


def ranks_of(path: Path, wanted: Mapping[str, str]) -> dict[str, int]:
    """Return the rank (from 1) of one passage per query, without queries whose ranking lacks the passage.

    The run must be from :func:`write_run`, with correct ranks. The file is read line by line, because a :data:`Run` of
    20 000 queries with depth 1000 would take gigabytes.

    Raises:
        DataError: a line has another number of columns, or a rank is not a whole number.
    """
    ranks = {}
    for query_id, passage_id, place, _, number in _run_lines(path):
        if wanted.get(query_id) == passage_id:
            if not is_whole(place):
                raise DataError(f"{path}:{number}: rank {place!r} is not a whole number")
            ranks[query_id] = int(place)
    return ranks


def compare_ranks(path: Path, run: Run) -> None:
    """Log the number of queries of a run file whose rank column states another order than the scores, as for ties.

    Args:
        path: the file.
        run: the run that :func:`read_run` returned for it, of any depth. Queries with a rank that is not a whole number
            are skipped.
    """
    ranks: dict[str, list[tuple[int, str]] | None] = {}
    for query_id, passage_id, place, _, _ in _run_lines(path):
        listed = ranks.setdefault(query_id, [])
        if not is_whole(place) or len(place) > 20:
            ranks[query_id] = None
        elif listed is not None:
            listed.append((int(place), passage_id))
    differ = [
        query_id
        for query_id, listed in ranks.items()
        if listed and [name for _, name in sorted(listed)][: len(run[query_id])] != [name for name, _ in run[query_id]]
    ]
    if differ:
        log.warning(
            "%s: the rank column states another order than the scores in %d of %d rankings, first query %r; the scores "
            "decide, and equal scores are ordered by passage id",
            *(path, len(differ), len(run), differ[0]),
        )


def _run_lines(path: Path) -> Iterator[RunLine]:
    for number, line in text_lines(path):
        columns = line.split()
        if len(columns) != 6:
            raise DataError(f"{path}:{number}: {len(columns)} columns; a run line has six: qid Q0 docno rank score tag")
        query_id, _, passage_id, place, score, _ = columns
        yield query_id, passage_id, place, score, number


def write_qrels(path: Path, judgments: Iterable[Judgment]) -> None:
    """Write TREC qrels.

    Raises:
        DataError: an id is empty or has white space, or a grade is not one of :data:`GRADES`.
    """
    with atomic_text(path) as stream:
        for item in judgments:
            line = f"{item.query_id} 0 {item.passage_id} {item.grade}"
            if line.split()[::2] != [item.query_id, item.passage_id] or item.grade not in GRADES:
                raise DataError(f"{path}: {item} is not a line of qrels; nothing is written")
            stream.write(line + "\n")


def read_qrels(path: Path) -> Qrels:
    """Read TREC qrels. Ids are text.

    Raises:
        DataError: a line has another number of columns, or a grade is not a whole number of :data:`GRADES`.
    """
    qrels: Qrels = defaultdict(dict)
    for item in read_judgments(path):
        qrels[item.query_id][item.passage_id] = item.grade
    return dict(qrels)


def read_judgments(path: Path) -> Iterator[Judgment]:
    """Yield the judgments of TREC qrels in their order.

    Raises:
        DataError: a line has another number of columns, or a grade is not a whole number of :data:`GRADES`.
    """
    for number, line in text_lines(path):
        columns = line.split()
        if len(columns) != 4:
            raise DataError(f"{path}:{number}: {len(columns)} columns; a qrels line has four: qid 0 docno grade")
        yield Judgment(columns[0], columns[2], grade_of(columns[3], f"{path}:{number}: grade"))


def relevant(qrels: Qrels, level: int = 1) -> dict[str, set[str]]:
    """Return the passages with a grade of at least ``level`` per query, without queries that have no such passage."""
    chosen = {query: {name for name, grade in grades.items() if grade >= level} for query, grades in qrels.items()}
    return {query: names for query, names in chosen.items() if names}


def best_first(grades: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the relevant passages of a query with their grades, by descending grade and then id."""
    return sorted(((name, grade) for name, grade in grades.items() if grade > 0), key=lambda item: (-item[1], item[0]))


def answers(qrels_files: Iterable[Path]) -> set[str]:
    """Return the ids of all passages that are relevant to a query of the files."""
    return {name for path in qrels_files for names in relevant(read_qrels(path)).values() for name in names}
