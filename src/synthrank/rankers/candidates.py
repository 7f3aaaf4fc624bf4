"""Candidates of a reranker: the top passages of the first stage per query, with their texts."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from synthrank.data.passage_texts import texts_of
from synthrank.data.records import Query
from synthrank.data.trec import Run
from synthrank.rankers.base import Collection

_log = logging.getLogger(__name__)

PAIRS_AT_ONCE = 4096
"""Pairs that are tokenised and sorted by length together: enough for good batches, few enough to show progress."""


@dataclass(frozen=True, slots=True)
class CandidateLists:
    """The queries that have candidates, and the number of queries that are scored together.

    The last digit of a score depends on the batch. Queries that are scored together are therefore in the same shard,
    and the scores do not depend on the number of shards.
    """

    queries: tuple[Query, ...]
    together: int


def lists_of(queries: Iterable[Query], run: Run, depth: int) -> CandidateLists:
    """Return the queries that have candidates in a run, and the number of queries that are scored together.

    Args:
        queries: the queries; a query without candidates is skipped.
        run: the run of the first stage, with ``depth`` passages per query if it found as many.
        depth: the number of passages per query that are reordered.
    """
    ranked = tuple(query for query in queries if run.get(query.id))
    longest = max((min(len(run[query.id]), depth) for query in ranked), default=1)
    return CandidateLists(ranked, max(1, PAIRS_AT_ONCE // longest))


@dataclass(frozen=True, slots=True)
class Candidates:
    """The queries of a shard, the passage ids per query, and the texts of the passages.

    ``together`` is the number of queries that are scored together.
    """

    queries: tuple[Query, ...]
    ids: dict[str, list[str]]
    texts: dict[str, str]
    together: int

    def pairs(self, queries: list[Query]) -> Iterator[tuple[Query, str]]:
        """Yield (query, passage id) of the given queries, query by query."""
        return ((query, name) for query in queries for name in self.ids[query.id])


def candidates(collection: Collection, depth: int) -> Candidates:
    """Return the candidates of a shard; log short rankings, empty passages and queries without candidates.

    A ranking with fewer passages than ``depth`` is reordered with these passages. An empty passage is scored like any
    other. A query without candidates is skipped, and measures count it as 0. Only the texts of this shard's candidates
    are kept in memory.

    Args:
        collection: queries, passages and the run.
        depth: passages per query if the collection does not state a depth.

    Raises:
        DataError: the run names a passage that is not in the file.
    """
    depth = collection.depth or depth
    run = collection.first_stage
    lists = lists_of(collection.queries, run, depth)
    queries = tuple(collection.shard.take(lists.queries, len(lists.queries), lists.together))
    ids = {query.id: [name for name, _ in run[query.id][:depth]] for query in queries}
    texts = texts_of(collection.passages, (name for names in ids.values() for name in names)) if ids else {}
    _warn(len(collection.queries) - len(lists.queries), "queries have no candidates and are skipped")
    _warn(sum(len(names) < depth for names in ids.values()), f"queries have fewer than {depth} candidates")
    _warn(sum(not texts[name].strip() for names in ids.values() for name in names), "candidates are empty passages")
    return Candidates(queries, ids, texts, lists.together)


def _warn(count: int, message: str) -> None:
    if count:
        _log.warning("%d %s", count, message)
