"""Step import_run: a run, or lists of a ranker, that others made, as a run of one set of queries."""

import logging
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import read_jsonl
from synthrank.recorded import read_orders
from synthrank.records import Query
from synthrank.runs.lists import run_of, write_lists
from synthrank.specs.base import load
from synthrank.specs.retrievers import Recorded, RetrieverSpec
from synthrank.texts import absent
from synthrank.trec import Run, read_run

log = logging.getLogger(__name__)


def import_run(*, spec: Path, file: Path, queries: Path, passages: Path, run: Path) -> None:
    """Take the lists of the queries out of a file of another's making.

    Lists of passage ids keep their order. Of a TREC run the scores count, and ties go by passage id as in every run
    here: its column of ranks, which may break them otherwise, is not read.

    Args:
        spec: the retriever's entity file.
        file: the file of lists.
        queries: the queries; lists of others are left out, and a query without a list has none here either.
        passages: the collection, in which every listed passage must be.
        run: written: the run.

    Raises:
        DataError: the file is not of its format, lists a passage twice or one that the collection lacks, or has no
            list for any of the queries.
    """
    settings: Recorded = load(RetrieverSpec, spec)
    asked = list(read_jsonl(queries, Query))
    if settings.format == "trec":
        listed = read_run(file, settings.depth)
    else:
        listed = run_of(read_orders(file, settings.format, settings.query_key, settings.order_key), file)
    kept = {query.id: listed[query.id][: settings.depth] for query in asked if query.id in listed}
    if not kept:
        raise DataError(
            f"{file}: none of its {len(listed)} lists is for a query of {queries}; name a file of this set of queries"
        )
    _check_passages(kept, passages, file)
    log.info("%d lists taken, %d lists of other queries left out", len(kept), len(listed) - len(kept))
    write_lists(run, kept, asked, spec.stem)


def _check_passages(run: Run, passages: Path, file: Path) -> None:
    """Raise DataError unless the collection has every passage of a run."""
    listed = list(dict.fromkeys(name for ranked in run.values() for name, _ in ranked))
    if unknown := absent(passages, listed):
        first = next(name for name in listed if name in unknown)
        lacking = f"{len(unknown)} of {len(listed)} listed passages are not in {passages}, first {first!r}"
        raise DataError(f"{file}: {lacking}; the lists must be of this collection")
