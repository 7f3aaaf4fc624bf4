"""Runs as they are measured."""

import logging
from collections.abc import Sequence
from pathlib import Path

from synthrank.depths import LISTED, WHOLE
from synthrank.errors import DataError
from synthrank.measures import measure_run
from synthrank.specs.measures import cutoff_of
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import Qrels, Run, read_run

log = logging.getLogger(__name__)


def suite_runs(folder: Path, testset: str) -> list[tuple[str, Path]]:
    """Return the runs of a ranker on a test set: its own, then fused ones, which are ``TESTSET+RETRIEVER.trec``.

    Returns:
        (what follows the ranker's name in the system's, run): nothing, then ``+RETRIEVER``.

    Raises:
        DataError: the folder has no run for the test set.
    """
    found = [folder / f"{testset}.trec", *sorted(folder.glob(f"{testset}+*.trec"))]
    if not found[0].exists():
        raise DataError(f"{found[0]}: is missing; expected one run for each test set of the suite")
    return [(path.stem.removeprefix(testset), path) for path in found]


def measure_to_depth(
    run: Run, qrels: Qrels, names: Sequence[str], relevance_level: int, depth: str, origin: str
) -> list[tuple[str, str, float | None]]:
    """Return (measure, query id, value) as :func:`synthrank.measures.measure_run` does, None of what looks too deep.

    Args:
        run: the run.
        qrels: the qrels.
        names: measures as ir_measures reads them.
        relevance_level: lowest grade that binary measures count as relevant.
        depth: passages that a list may hold; ``whole`` where they are the collection, ``listed`` where the longest list
            shows how many.
        origin: the run's file, for the log.
    """
    most = max(map(len, run.values()), default=0) if depth == LISTED else None if depth == WHOLE else int(depth)
    shallow = [name for name in names if most is not None and (cutoff_of(name) or 0) > most]
    for name in shallow:
        log.warning("%s: %s is not measured: lists are %s deep", origin, name, most)
    values = {
        (name, query): value
        for name, query, value in measure_run(
            run, qrels, [name for name in names if name not in shallow], relevance_level
        )
    }
    return [(name, query, values.get((name, query))) for name in dict.fromkeys(names) for query in qrels]


def first_stage_run(path: Path, testset: TestsetSpec) -> Run:
    """Return a first stage's run, without the query's own id where the test set drops it."""
    ranked = read_run(path)
    if testset.drop_identical_ids:
        ranked = {query: [pair for pair in pairs if pair[0] != query] for query, pairs in ranked.items()}
    return ranked
