"""Step run_orders: write a language model's rankings of pooled candidates as a run."""

from pathlib import Path

from synthrank.data.files import read_jsonl
from synthrank.data.records import Order, Query
from synthrank.steps.runs.run_files import run_of, write_lists


def run_orders(*, spec: Path, orders: Path, queries: Path, run: Path) -> None:
    """Write each ranking with descending integer scores; the run may lack a query.

    Args:
        spec: the retriever's entity file.
        orders: the language model's rankings.
        queries: the queries.
        run: the run to write.

    Raises:
        DataError: a query has two rankings, or a ranking repeats a passage.
    """
    write_lists(run, run_of(read_jsonl(orders, Order), orders), list(read_jsonl(queries, Query)), spec.stem)
