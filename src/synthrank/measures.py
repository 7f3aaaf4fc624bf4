"""Measures per query, computed by ir_measures (which runs trec_eval's own code)."""

from collections.abc import Sequence

import ir_measures

from synthrank.errors import ConfigError
from synthrank.trec import Qrels, Run


def measure_run(run: Run, qrels: Qrels, names: Sequence[str], relevance_level: int) -> list[tuple[str, str, float]]:
    """Return (measure, query id, value) for every measure and every judged query.

    Every query of the qrels counts; one that the run does not have, or that has no relevant passage, is 0.

    Args:
        run: the run, each list best first.
        qrels: the qrels.
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
    """Return how much of each list ir_measures is given, None for all of it.

    It cuts lists by itself for RR@k, which trec_eval does not know, and sorts all of each to do so: twice the time of
    all other measures together. Lists come best first here, so they are cut instead.
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
