"""Runs out of the shares that several jobs reordered."""

from collections.abc import Sequence
from pathlib import Path

from synthrank.rankers.candidates import Lists
from synthrank.shards import check_shards
from synthrank.trec import Run, read_run


def end_to_end(shards: Sequence[Path], lists: Lists) -> Run:
    """Return a run out of its shares.

    Args:
        shards: the runs of all shares, from the first on.
        lists: what the shares were taken of.

    Raises:
        ShardError: a share has another number of lists than it should.
    """
    runs = [read_run(path) for path in shards]
    found = [(path, len(run)) for path, run in zip(shards, runs, strict=True)]
    check_shards(found, len(lists.queries), lists.together)
    return {query: ranked for run in runs for query, ranked in run.items()}
