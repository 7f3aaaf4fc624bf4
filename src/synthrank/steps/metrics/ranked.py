"""Measure runs of limited depth."""

import logging
from collections.abc import Sequence
from pathlib import Path

from synthrank.config.depths import LISTED, WHOLE
from synthrank.config.measures import cutoff_of
from synthrank.config.testsets import TestsetSpec
from synthrank.data.trec import Qrels, Run, read_run
from synthrank.stats.measures import measure_run

log = logging.getLogger(__name__)


def measure_to_depth(
    run: Run, qrels: Qrels, names: Sequence[str], relevance_level: int, depth: str, origin: str
) -> list[tuple[str, str, float | None]]:
    """Return (measure, query id, value), with None for a measure whose cutoff exceeds the depth of the run.

    Args:
        run: the run.
        qrels: the qrels.
        names: names of measures for ir_measures.
        relevance_level: lowest grade that binary measures count as relevant.
        depth: the largest number of passages per ranking; ``whole`` if rankings contain the whole corpus, ``listed``
            to use the length of the longest ranking.
        origin: the run's file, for log messages.
    """
    most = max(map(len, run.values()), default=0) if depth == LISTED else None if depth == WHOLE else int(depth)
    shallow = [name for name in names if most is not None and (cutoff_of(name) or 0) > most]
    for name in shallow:
        log.warning("%s: %s is not measured: rankings have at most %s passages", origin, name, most)
    values = {
        (name, query): value
        for name, query, value in measure_run(
            run, qrels, [name for name in names if name not in shallow], relevance_level
        )
    }
    return [(name, query, values.get((name, query))) for name in dict.fromkeys(names) for query in qrels]


def first_stage_run(path: Path, testset: TestsetSpec) -> Run:
    """Return a first stage's run, without passages that have the query's id if the test set drops them."""
    ranked = read_run(path)
    if testset.drop_identical_ids:
        ranked = {query: [pair for pair in pairs if pair[0] != query] for query, pairs in ranked.items()}
    return ranked
