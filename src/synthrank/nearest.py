"""Exact search by inner product among vectors that are read in blocks.

faiss holds every vector of a flat index in memory as it searches, and cuts ties at the depth as they come. Here one
block is held at a time, multiplied by numpy, and of equal scores the lower passage id stays, as :mod:`synthrank.trec`
ranks.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from synthrank.encodings import TOGETHER, Encodings, Vectors
from synthrank.progress import Progress
from synthrank.records import Query

PASSAGES_AT_ONCE = TOGETHER
"""Vectors of a block: with 768 dimensions 13 MB as float32. No block lies in two shards, so that a product does not
depend on their number."""

QUERIES_AT_ONCE = 2048
"""Queries whose products with a block are held, 34 MB. The vectors are read once for so many."""

Found = dict[str, list[tuple[str, float]]]
"""Per query id, (passage id, score) pairs in no order."""

Scores = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


def nearest(encodings: Encodings, vectors: Vectors, queries: Sequence[Query], depth: int) -> Found:
    """Return the ``depth`` passages of each query with the highest inner product; fewer where there are fewer.

    Scores are as computed, equal ones too: :func:`synthrank.trec.rank` orders them, alone or with other shares'.

    Memory: a block of passages, its products, 12 bytes a query and list entry, and the ids of passages that are found.

    Args:
        encodings: the passages.
        vectors: the queries' vectors, shape (queries, dimensions).
        queries: the queries, in the same order.
        depth: how many passages.
    """
    found: Found = {}
    name_of = cache(encodings.id)  # a passage is found for many queries, and reading its id takes longer than its score
    with Progress(len(queries) * len(encodings), "products") as state:
        for first in range(0, len(queries), QUERIES_AT_ONCE):
            asked = np.ascontiguousarray(vectors[first : first + QUERIES_AT_ONCE], dtype=np.float32)
            lists = [_List(depth, name_of) for _ in asked]
            for start, block in encodings.blocks(PASSAGES_AT_ONCE):
                _offer(lists, asked @ block.T, start)
                state.advance(len(asked) * len(block))
            for query, best in zip(queries[first : first + QUERIES_AT_ONCE], lists, strict=True):
                found[query.id] = best.passages()
    return found


def _offer(lists: Sequence["_List"], scores: Scores, start: int) -> None:
    """Offer a block's scores, shape (queries, passages), to the queries' lists: those that could still enter."""
    bounds = np.array([best.bound for best in lists], dtype=np.float32)
    entering = scores >= bounds[:, None]
    for row in np.flatnonzero(entering.any(axis=1)).tolist():
        columns = np.flatnonzero(entering[row])
        lists[row].take(scores[row, columns], columns + start)


class _List:
    """The best passages of a query so far."""

    def __init__(self, depth: int, name_of: Callable[[int], str]) -> None:
        self._depth, self._name_of = depth, name_of
        self._scores: Scores = np.empty(0, dtype=np.float32)
        self._places: Places = np.empty(0, dtype=np.int64)
        self.bound = -np.inf  # no lower score can enter

    def take(self, scores: Scores, places: Places) -> None:
        """Take further passages in, and let go of all but the best."""
        scores, places = np.concatenate([self._scores, scores]), np.concatenate([self._places, places])
        if len(scores) > self._depth:
            last = -np.partition(-scores, self._depth - 1)[self._depth - 1]
            above, tied = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
            room = self._depth - len(above)
            if len(tied) > room:
                tied = np.array(sorted(tied.tolist(), key=lambda at: self._name_of(int(places[at])))[:room])
            kept = np.concatenate([above, tied])
            scores, places = scores[kept], places[kept]
        self._scores, self._places = scores, places
        if len(scores) == self._depth:
            self.bound = float(scores.min())

    def passages(self) -> list[tuple[str, float]]:
        """Return (passage id, score)."""
        names = [self._name_of(place) for place in self._places.tolist()]
        return list(zip(names, self._scores.tolist(), strict=True))
