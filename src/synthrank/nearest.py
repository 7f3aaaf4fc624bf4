"""Exact search by inner product among vectors that are read in blocks.

Of equal scores at the depth the lower passage id stays, as :mod:`synthrank.trec` ranks. ``knn_ground_truth`` of faiss
searches by blocks too, but keeps any of the equal scores.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from synthrank.encodings import TOGETHER, Encodings, Vectors
from synthrank.progress import Progress
from synthrank.records import Query

PASSAGES_AT_ONCE = TOGETHER
"""Vectors per block: with 768 dimensions 13 MB as float32. No block is in two shards, so that a product does not depend
on their number."""

QUERIES_AT_ONCE = 2048
"""Queries whose products with a block are held, 34 MB. The vectors are read once for so many."""

Found = dict[str, list[tuple[str, float]]]
"""Per query id, (passage id, score) pairs in no order."""

Best = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
"""Scores of passages, and their rows among the vectors."""


def nearest(encodings: Encodings, vectors: Vectors, queries: Sequence[Query], depth: int) -> Found:
    """Return the ``depth`` passages of each query with the highest inner product; fewer if there are fewer.

    Scores are as computed, equal ones too: :func:`synthrank.trec.rank` orders them, alone or with other shards'.

    Memory: a block of passages, its products, 12 bytes per query and list entry, and the ids of the passages found.

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
            best: list[Best] = [(np.empty(0, np.float32), np.empty(0, np.int64))] * len(asked)
            bounds = np.full((len(asked), 1), -np.inf, dtype=np.float32)  # lower scores cannot enter a list
            for start, block in encodings.blocks(PASSAGES_AT_ONCE):
                products = asked @ block.T
                entering = products >= bounds
                for row in np.flatnonzero(entering.any(axis=1)).tolist():
                    columns = np.flatnonzero(entering[row])
                    best[row] = _best(best[row], (products[row, columns], columns + start), depth, name_of)
                    if len(best[row][0]) == depth:
                        bounds[row] = best[row][0].min()
                state.advance(products.size)
            for query, (scores, places) in zip(queries[first : first + QUERIES_AT_ONCE], best, strict=True):
                found[query.id] = list(zip(map(name_of, places.tolist()), scores.tolist(), strict=True))
    return found


def _best(kept: Best, further: Best, depth: int, name_of: Callable[[int], str]) -> Best:
    """Return the ``depth`` passages with the highest scores, of equal ones at the depth those with the lower ids."""
    scores, places = np.concatenate([kept[0], further[0]]), np.concatenate([kept[1], further[1]])
    if len(scores) <= depth:
        return scores, places
    last = -np.partition(-scores, depth - 1)[depth - 1]
    above, tied = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
    room = depth - len(above)
    if len(tied) > room:
        tied = np.array(sorted(tied.tolist(), key=lambda at: name_of(int(places[at])))[:room])
    chosen = np.concatenate([above, tied])
    return scores[chosen], places[chosen]
