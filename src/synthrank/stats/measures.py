"""Measures per query, computed by ir_measures, which runs the code of trec_eval."""

from collections.abc import Sequence

import ir_measures

from synthrank.data.trec import Qrels, Run
from synthrank.errors import ConfigError


def measure_run(run: Run, qrels: Qrels, names: Sequence[str], relevance_level: int) -> list[tuple[str, str, float]]:
    """Return (measure, query id, value) for every measure and every judged query.

    The value of a query that is missing in the run, or that has no relevant passage, is 0.

    Args:
        run: the run, with the best passage of each query first.
        qrels: the qrels.
        names: measures in the notation of ir_measures, for example ``nDCG@10``.
        relevance_level: lowest relevant grade of binary measures whose name does not contain one.

    Raises:
        ConfigError: ir_measures cannot read a name.
    """
    measures = {name: _measure(name, relevance_level) for name in names}
    values = {(name, query): 0.0 for name in names for query in qrels}
    names_of: dict[str, list[str]] = {}
    for name, measure in measures.items():
        names_of.setdefault(str(measure), []).append(name)
    by_depth: dict[int | None, list[ir_measures.Measure]] = {}
    for measure in measures.values():
        by_depth.setdefault(_depth(measure), []).append(measure)
    for depth, group in by_depth.items():
        scored = {query: dict(ranked[:depth]) for query, ranked in run.items() if query in qrels}
        for metric in ir_measures.iter_calc(group, qrels, scored):
            for name in names_of[str(metric.measure)]:
                values[name, metric.query_id] = float(metric.value)
    return [(name, query, value) for (name, query), value in values.items()]


def _depth(measure: ir_measures.Measure) -> int | None:
    """Return the number of passages per query to pass to ir_measures; ``None`` for all.

    trec_eval has no RR@k, so ir_measures sorts and cuts whole rankings, which takes twice the time of all other
    measures together. Rankings of a run are sorted, so they can be cut here.
    """
    return measure.params.get("cutoff") if measure.NAME == "RR" else None


def _measure(name: str, relevance_level: int) -> ir_measures.Measure:
    try:
        measure = ir_measures.parse_measure(name)
    except (NameError, ValueError, KeyError, SyntaxError) as error:
        raise ConfigError(f"experiment: measures: got {name!r}; ir_measures cannot read it ({error})") from error
    if relevance_level > 1 and "rel" in measure.SUPPORTED_PARAMS and "rel" not in measure.params:
        measure = measure(rel=relevance_level)
    return measure
