"""Convert rankings without scores to runs, and write runs."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from synthrank.data.records import Order, Query
from synthrank.data.trec import Run, write_run
from synthrank.errors import DataError

log = logging.getLogger(__name__)


def run_of(orders: Iterable[Order], origin: Path) -> Run:
    """Return rankings as a run: the first of n passages gets the score n, the last one 1.

    Args:
        orders: the rankings.
        origin: the file of the rankings, for error messages.

    Raises:
        DataError: a query has two rankings, or a ranking repeats a passage.
    """
    run: Run = {}
    for order in orders:
        if order.query_id in run:
            raise DataError(f"{origin}: query {order.query_id!r} has two rankings; expected one per query")
        if len(set(order.ids)) < len(order.ids):
            twice = max(order.ids, key=order.ids.count)
            raise DataError(f"{origin}: query {order.query_id!r} has passage {twice!r} twice; expected it once")
        run[order.query_id] = [(name, float(len(order.ids) - place)) for place, name in enumerate(order.ids)]
    return run


def write_lists(path: Path, run: Run, queries: Sequence[Query], tag: str, depth: int | None = None) -> None:
    """Write a run in the order of the queries; log the number of queries without a ranking."""
    lists = {query.id: run[query.id] for query in queries if run.get(query.id)}
    lacking = [query.id for query in queries if query.id not in lists]
    if lacking:
        log.warning("%d of %d queries have no ranking, first %r", len(lacking), len(queries), lacking[0])
    write_run(path, lists, tag, depth)
