"""Step run_orders: the orders that a language model gave to pooled candidates, as a run."""

from pathlib import Path

from synthrank.files import read_jsonl
from synthrank.records import Order, Query
from synthrank.runs.lists import run_of, write_lists


def run_orders(*, spec: Path, orders: Path, queries: Path, run: Path) -> None:
    """Write each order as a list whose scores are falling whole numbers; a query that has no order has no list.

    Args:
        spec: the retriever's entity file.
        orders: the orders.
        queries: the queries.
        run: written: the run.

    Raises:
        DataError: a query has two orders, or an order has a passage twice.
    """
    write_lists(run, run_of(read_jsonl(orders, Order), orders), list(read_jsonl(queries, Query)), spec.stem)
