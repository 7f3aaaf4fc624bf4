"""What is reordered: for every query the top of its first stage, with texts."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from synthrank.errors import DataError
from synthrank.rankers.base import Collection
from synthrank.records import Query
from synthrank.texts import texts_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The queries that have a list, for each the ids of its passages, and the passages' texts."""

    queries: tuple[Query, ...]
    ids: dict[str, list[str]]
    texts: dict[str, str]

    def pairs(self, queries: list[Query]) -> Iterator[tuple[Query, str]]:
        """Yield (query, passage id) of some of the queries, list by list."""
        return ((query, name) for query in queries for name in self.ids[query.id])


def candidates(collection: Collection, depth: int) -> Candidates:
    """Return the top of the collection's first stage, and log what is short, empty or missing there.

    A list that is shorter than the depth is reordered as it is, and an empty passage is scored like any other. A query
    without a list is left out: measures count it as 0.

    Args:
        collection: queries, passages and the run.
        depth: passages of each list, unless the collection states how many.

    Raises:
        DataError: there is no run, or it names a passage that is not in the file.
    """
    if collection.first_stage is None:
        raise DataError("a reranker needs a first-stage run; name one in the ranker's rerank.retriever")
    depth = collection.depth or depth
    run = collection.first_stage
    asked = tuple(query for query in collection.queries if run.get(query.id))
    ids = {query.id: [name for name, _ in run[query.id][:depth]] for query in asked}
    texts = texts_of(collection.passages, (name for names in ids.values() for name in names))
    _tell(len(collection.queries) - len(asked), "queries have no list and are left out")
    _tell(
        sum(len(names) < depth for names in ids.values()), f"lists are shorter than {depth} and reordered as they are"
    )
    _tell(sum(not texts[name].strip() for names in ids.values() for name in names), "candidates are empty passages")
    return Candidates(asked, ids, texts)


def _tell(count: int, what: str) -> None:
    if count:
        _log.warning("%d %s", count, what)
