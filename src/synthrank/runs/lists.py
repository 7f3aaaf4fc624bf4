"""What the steps of this stage share: lists of passages as a run, and a run as a file that tells what it lacks."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from synthrank.errors import DataError
from synthrank.records import Order, Query
from synthrank.trec import Run, write_run

log = logging.getLogger(__name__)


def run_of(orders: Iterable[Order], origin: Path) -> Run:
    """Return orders as a run: of n passages the first has the score n, the last 1.

    Args:
        orders: the orders.
        origin: the file they are from, for the error.

    Raises:
        DataError: a query has two orders, or an order has a passage twice.
    """
    run: Run = {}
    for order in orders:
        if order.query_id in run:
            raise DataError(f"{origin}: query {order.query_id!r} has two lists; expected one a query")
        if len(set(order.ids)) < len(order.ids):
            twice = max(order.ids, key=order.ids.count)
            raise DataError(f"{origin}: query {order.query_id!r} has passage {twice!r} twice; expected it once")
        run[order.query_id] = [(name, float(len(order.ids) - place)) for place, name in enumerate(order.ids)]
    return run


def write_lists(path: Path, run: Run, queries: Sequence[Query], tag: str, depth: int | None = None) -> None:
    """Write the lists of some queries, in their order; the log counts the queries without one, which have no line."""
    lists = {query.id: run[query.id] for query in queries if run.get(query.id)}
    lacking = [query.id for query in queries if query.id not in lists]
    if lacking:
        log.warning("%d of %d queries have no list, first %r", len(lacking), len(queries), lacking[0])
    write_run(path, lists, tag, depth)
