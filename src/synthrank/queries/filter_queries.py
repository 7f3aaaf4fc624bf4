"""Step filter_queries: keep the queries that an augmentation's filters let pass, and count the others."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.queries.overlap import Overlaps
from synthrank.records import Query
from synthrank.specs.augmentations import AugmentationSpec
from synthrank.specs.base import load
from synthrank.texts import text_key
from synthrank.trec import ranks_of

log = logging.getLogger(__name__)

Keep = Callable[[Query], bool]
"""Tells whether a query passes; asked in the order of the file."""


def filter_queries(
    *, spec: Path, raw: Path, testsets: list[Path], run: list[Path], queries: Path, filters: Path
) -> None:
    """Keep the queries that pass every filter, in their order.

    Args:
        spec: the augmentation's entity file.
        raw: the queries as they were made.
        testsets: the queries of each test set that none may overlap with.
        run: the round trip's run of the queries; empty where there is none.
        queries: written: the queries that are kept.
        filters: written: how many came in, how many each filter dropped, how many went out.

    Raises:
        BudgetError: none is left.
    """
    settings = load(AugmentationSpec, spec).filters
    kept = list(read_jsonl(raw, Query))
    counts: dict[str, object] = {"in": len(kept)}
    dropped = {}
    checks: list[tuple[str, Keep]] = []
    if settings.duplicates:
        checks.append(("duplicates", _first_of_its_text()))
    if testsets:
        checks.append(("testsets", _apart_from(testsets, settings.max_overlap)))
    if settings.round_trip:
        checks.append(("round_trip", _found_again(kept, run, settings.round_trip.depth)))
    for name, keep in checks:
        left = [query for query in kept if keep(query)]
        dropped[name], kept = len(kept) - len(left), left
    if not kept:
        raise BudgetError(f"{raw}: no query passes the filters of {spec} (dropped: {dropped}); loosen them")
    log.info("%d of %d queries kept, dropped: %s", len(kept), counts["in"], dropped)
    write_jsonl(queries, kept)
    write_json(filters, {**counts, "dropped": dropped, "out": len(kept)})


def _first_of_its_text() -> Keep:
    """Return a filter that drops a query whose text came before, but for case and spaces."""
    seen: set[str] = set()

    def keep(query: Query) -> bool:
        text = text_key(query.text)
        new = text not in seen
        seen.add(text)
        return new

    return keep


def _apart_from(testsets: Iterable[Path], max_overlap: float) -> Keep:
    """Return a filter that drops a query that overlaps with one of a test set."""
    overlaps = Overlaps((query.text for path in testsets for query in read_jsonl(path, Query)), max_overlap)
    return lambda query: not overlaps.found(query.text)


def _found_again(queries: Iterable[Query], run: Iterable[Path], depth: int) -> Keep:
    """Return a filter that drops a query whose source is not among the passages it finds, down to ``depth``."""
    wanted = {query.id: query.source for query in queries}
    rank_of = {query: place for path in run for query, place in ranks_of(path, wanted).items()}
    return lambda query: query.id in rank_of and rank_of[query.id] <= depth
