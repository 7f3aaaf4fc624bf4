"""Measures per query, computed by ir_measures (which runs trec_eval's own code)."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import ir_measures

from synthrank.errors import ConfigError, DataError
from synthrank.files import atomic_text, text_lines
from synthrank.trec import Qrels, Run


@dataclass(frozen=True, slots=True)
class Score:
    """The value of one measure for one query of one run; ``seed`` is empty for a run without one."""

    ranker: str
    recipe: str
    llm: str
    seed: str
    testset: str
    measure: str
    query_id: str
    value: float


def measure_run(run: Run, qrels: Qrels, names: Sequence[str], relevance_level: int) -> list[tuple[str, str, float]]:
    """Return (measure, query id, value) for every measure and every judged query.

    Every query of the qrels counts; one that the run does not have, or that has no relevant passage, is 0.

    Args:
        run: the run.
        qrels: the judgments.
        names: measures as ir_measures reads them, for example ``nDCG@10``.
        relevance_level: lowest grade that binary measures count as relevant, where a name does not say.

    Raises:
        ConfigError: ir_measures does not know a name.
    """
    measures = {name: _measure(name, relevance_level) for name in names}
    values = {(name, query): 0.0 for name in names for query in qrels}
    names_of: dict[str, list[str]] = {}
    for name, measure in measures.items():
        names_of.setdefault(str(measure), []).append(name)
    scored = {query: dict(ranked) for query, ranked in run.items() if query in qrels}
    for metric in ir_measures.iter_calc(list(measures.values()), qrels, scored):
        for name in names_of[str(metric.measure)]:
            values[name, metric.query_id] = float(metric.value)
    return [(name, query, value) for (name, query), value in values.items()]


def _measure(name: str, relevance_level: int) -> ir_measures.Measure:
    try:
        measure = ir_measures.parse_measure(name)
    except (NameError, ValueError, KeyError, SyntaxError) as error:
        raise ConfigError(f"experiment: measures: got {name!r}; ir_measures cannot read it ({error})") from error
    if relevance_level > 1 and "rel" in measure.SUPPORTED_PARAMS and "rel" not in measure.params:
        measure = measure(rel=relevance_level)
    return measure


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
        Score(ranker, recipe, llm, seed, testset, measure, query, float(value))
        for ranker, recipe, llm, seed, testset, measure, query, value in rows
    ]
