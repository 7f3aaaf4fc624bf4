"""What is reordered: for every query the top of its first stage, with texts."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from synthrank.rankers.base import Collection
from synthrank.records import Query
from synthrank.texts import texts_of
from synthrank.trec import Run

_log = logging.getLogger(__name__)

PAIRS_AT_ONCE = 4096
"""Pairs that are tokenised and sorted by length together: enough to batch well, few enough to show progress."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The queries that have a list to reorder, and how many of them are scored together.

    A model gives a pair the same score whatever its batch, but for the last digit. So the queries that are scored
    together stay together in one shard, and the scores of a reranker do not depend on the number of shards.
    """

    queries: tuple[Query, ...]
    together: int


def lists_of(queries: Iterable[Query], run: Run, depth: int) -> Lists:
    """Return the queries that have a list in a run, and how many are scored together if ``depth`` of it is reordered.

    Args:
        queries: the queries; one without a list, or with an empty one, is left out.
        run: the first stage, at least ``depth`` deep where it has as many passages.
        depth: passages of each list that are reordered.
    """
    asked = tuple(query for query in queries if run.get(query.id))
    longest = max((min(len(run[query.id]), depth) for query in asked), default=1)
    return Lists(asked, max(1, PAIRS_AT_ONCE // longest))


@dataclass(frozen=True, slots=True)
class Candidates:
    """The queries of a shard, for each the ids of its passages, and the passages' texts.

    ``together`` says how many queries are scored together.
    """

    queries: tuple[Query, ...]
    ids: dict[str, list[str]]
    texts: dict[str, str]
    together: int

    def pairs(self, queries: list[Query]) -> Iterator[tuple[Query, str]]:
        """Yield (query, passage id) of some of the queries, list by list."""
        return ((query, name) for query in queries for name in self.ids[query.id])


def candidates(collection: Collection, depth: int) -> Candidates:
    """Return the shard of the top of the collection's first stage, and log what is short, empty or missing there.

    A list that is shorter than the depth is reordered as it is, and an empty passage is scored like any other. A query
    without a list is left out: measures count it as 0. The texts of this shard's candidates are held, and no others.

    Args:
        collection: queries, passages and the run.
        depth: passages of each list, unless the collection states how many.

    Raises:
        DataError: the run names a passage that is not in the file.
    """
    depth = collection.depth or depth
    run = collection.first_stage
    lists = lists_of(collection.queries, run, depth)
    asked = tuple(collection.shard.take(lists.queries, len(lists.queries), lists.together))
    ids = {query.id: [name for name, _ in run[query.id][:depth]] for query in asked}
    texts = texts_of(collection.passages, (name for names in ids.values() for name in names)) if ids else {}
    _tell(len(collection.queries) - len(lists.queries), "queries have no list and are left out")
    _tell(
        sum(len(names) < depth for names in ids.values()), f"lists are shorter than {depth} and reordered as they are"
    )
    _tell(sum(not texts[name].strip() for names in ids.values() for name in names), "candidates are empty passages")
    return Candidates(asked, ids, texts, lists.together)


def _tell(count: int, what: str) -> None:
    if count:
        _log.warning("%d %s", count, what)
