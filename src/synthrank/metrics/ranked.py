"""Runs as they are measured."""

from pathlib import Path

from synthrank.errors import DataError
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import Run, read_run


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


def first_stage_run(path: Path, testset: TestsetSpec) -> Run:
    """Return a first stage's run, without the query's own id where the test set drops it."""
    ranked = read_run(path)
    if testset.drop_identical_ids:
        ranked = {query: [pair for pair in pairs if pair[0] != query] for query, pairs in ranked.items()}
    return ranked
