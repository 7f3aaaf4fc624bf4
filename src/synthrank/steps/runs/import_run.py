"""Step import_run: import an external run, or external rankings, for one set of queries."""

import logging
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.retrievers import Recorded, RetrieverSpec
from synthrank.data.external_rankings import read_orders
from synthrank.data.files import read_jsonl
from synthrank.data.passage_texts import find_absent
from synthrank.data.records import Query
from synthrank.data.trec import Run, compare_ranks, read_run
from synthrank.errors import DataError
from synthrank.steps.runs.run_files import run_of, write_lists

log = logging.getLogger(__name__)


def import_run(*, spec: Path, file: Path, queries: Path, passages: Path, run: Path) -> None:
    """Import the rankings of the given queries from an external file.

    Lists of passage ids keep their order. A TREC run is sorted by score, and ties by passage id, as in every run of
    this project; its rank column, which may break ties differently, is ignored. Rankings whose rank column states
    another order are counted and logged.

    Args:
        spec: the retriever's entity file.
        file: the file of rankings.
        queries: the queries; rankings of other queries are left out, and the run may lack a query.
        passages: the passages of the corpus, which must contain every ranked passage.
        run: the run to write.

    Raises:
        DataError: the file has another format, a ranking repeats a passage, a ranked passage is not in the corpus, or
            no ranking is for one of the queries.
    """
    settings: Recorded = load(RetrieverSpec, spec)
    wanted = list(read_jsonl(queries, Query))
    if settings.format == "trec":
        listed = read_run(file, settings.depth)
        compare_ranks(file, listed)
    else:
        listed = run_of(read_orders(file, settings.format, settings.query_key, settings.order_key), file)
    kept = {query.id: listed[query.id][: settings.depth] for query in wanted if query.id in listed}
    if not kept:
        raise DataError(
            f"{file}: none of {len(listed)} rankings is for a query of {queries}; use a file for these queries"
        )
    _check_passages(kept, passages, file)
    log.info("imported %d rankings, left out %d rankings of other queries", len(kept), len(listed) - len(kept))
    write_lists(run, kept, wanted, spec.stem)


def _check_passages(run: Run, passages: Path, file: Path) -> None:
    """Raise DataError if a passage of a run is not in the corpus."""
    listed = list(dict.fromkeys(name for ranked in run.values() for name, _ in ranked))
    if unknown := find_absent(passages, listed):
        first = next(name for name in listed if name in unknown)
        lacking = f"{len(unknown)} of {len(listed)} ranked passages are not in {passages}, first {first!r}"
        raise DataError(f"{file}: {lacking}; use a file for this corpus")
