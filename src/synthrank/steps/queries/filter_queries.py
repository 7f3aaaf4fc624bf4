"""Step filter_queries: keep the queries that pass an augmentation's filters, and count the others."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from synthrank.config.augmentations import AugmentationSpec
from synthrank.config.base import load
from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.data.passage_texts import text_key
from synthrank.data.records import Query
from synthrank.data.trec import ranks_of
from synthrank.errors import BudgetError
from synthrank.steps.queries.overlap import Overlaps

log = logging.getLogger(__name__)

KeepQuery = Callable[[Query], bool]
"""Returns whether a query passes; called in the order of the file."""


def filter_queries(
    *, spec: Path, raw: Path, testsets: list[Path], run: list[Path], queries: Path, filters: Path
) -> None:
    """Keep the queries that pass every filter, in their order.

    Args:
        spec: the augmentation's entity file.
        raw: the unfiltered queries.
        testsets: the queries of each test set to compare with.
        run: the run of the queries for the round-trip filter; empty without this filter.
        queries: written: the kept queries.
        filters: written: the numbers of queries before, dropped by each filter, and after.

    Raises:
        BudgetError: no query is left.
    """
    settings = load(AugmentationSpec, spec).filters
    kept = list(read_jsonl(raw, Query))
    counts: dict[str, object] = {"in": len(kept)}
    dropped = {}
    checks: list[tuple[str, KeepQuery]] = []
    if settings.duplicates:
        checks.append(("duplicates", _keep_first_of_text()))
    if testsets:
        checks.append(("testsets", _keep_apart_from(testsets, settings.max_overlap)))
    if settings.round_trip:
        checks.append(("round_trip", _keep_if_source_is_found(kept, run, settings.round_trip.depth)))
    for name, keep in checks:
        left = [query for query in kept if keep(query)]
        dropped[name], kept = len(kept) - len(left), left
    if not kept:
        raise BudgetError(f"{raw}: no query passes the filters of {spec} (dropped: {dropped}); relax the filters")
    log.info("%d of %d queries kept, dropped: %s", len(kept), counts["in"], dropped)
    write_jsonl(queries, kept)
    write_json(filters, {**counts, "dropped": dropped, "out": len(kept)})


def _keep_first_of_text() -> KeepQuery:
    """Return a filter that drops a query with the text of an earlier query, ignoring case and spaces."""
    seen: set[str] = set()

    def keep(query: Query) -> bool:
        text = text_key(query.text)
        new = text not in seen
        seen.add(text)
        return new

    return keep


def _keep_apart_from(testsets: Iterable[Path], max_overlap: float) -> KeepQuery:
    """Return a filter that drops a query that overlaps with a query of a test set."""
    overlaps = Overlaps((query.text for path in testsets for query in read_jsonl(path, Query)), max_overlap)
    return lambda query: not overlaps.find(query.text)


def _keep_if_source_is_found(queries: Iterable[Query], run: Iterable[Path], depth: int) -> KeepQuery:
    """Return a filter that drops a query whose source is not in the first ``depth`` passages of its ranking."""
    wanted = {query.id: query.source for query in queries}
    rank_of = {query: place for path in run for query, place in ranks_of(path, wanted).items()}
    return lambda query: query.id in rank_of and rank_of[query.id] <= depth
