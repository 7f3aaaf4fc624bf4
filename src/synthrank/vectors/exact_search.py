"""Exact search by inner product over vectors that are read in blocks.

Of passages with equal scores at the depth, the lower ids are kept, as in :mod:`synthrank.data.trec`. faiss's
``knn_ground_truth`` also searches by blocks, but does not define which of equal scores it keeps.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from synthrank.data.records import Query
from synthrank.runtime.progress import Progress
from synthrank.vectors.store import TOGETHER, Encodings, Vectors

PASSAGES_AT_ONCE = TOGETHER
"""Vectors per block, 13 MB as float32 with 768 dimensions. A block is never divided between shards, so products do not
depend on the number of shards."""

QUERIES_AT_ONCE = 2048
"""Queries per pass over the vectors; their products with a block take 34 MB."""

Neighbours = dict[str, list[tuple[str, float]]]
"""Unordered (passage id, score) pairs by query id."""

Best = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
"""Scores of passages, and their rows in the vectors."""


def nearest(encodings: Encodings, vectors: Vectors, queries: Sequence[Query], depth: int) -> Neighbours:
    """Return the ``depth`` passages with the highest inner products per query, or all if there are fewer.

    The results are unordered and may contain equal scores; :func:`synthrank.data.trec.rank` orders them.

    Memory: a block of passages, its products, 12 bytes per query and result, and the ids of the passages found.

    Args:
        encodings: the passages.
        vectors: the queries' vectors, shape (queries, dimensions).
        queries: the queries, in the same order.
        depth: number of passages per query.
    """
    found: Neighbours = {}
    name_of = cache(encodings.id)  # many queries find the same passages, and reading an id is slow
    with Progress(len(queries) * len(encodings), "products") as state:
        for first in range(0, len(queries), QUERIES_AT_ONCE):
            part = np.ascontiguousarray(vectors[first : first + QUERIES_AT_ONCE], dtype=np.float32)
            best: list[Best] = [(np.empty(0, np.float32), np.empty(0, np.int64))] * len(part)
            bounds = np.full((len(part), 1), -np.inf, dtype=np.float32)  # lower scores are not among the best
            for start, block in encodings.blocks(PASSAGES_AT_ONCE):
                products = part @ block.T
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


def _best(kept: Best, new: Best, depth: int, name_of: Callable[[int], str]) -> Best:
    """Return the ``depth`` passages with the highest scores; equal scores at the depth are cut by passage id."""
    scores, places = np.concatenate([kept[0], new[0]]), np.concatenate([kept[1], new[1]])
    if len(scores) <= depth:
        return scores, places
    last = -np.partition(-scores, depth - 1)[depth - 1]
    above, tied = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
    room = depth - len(above)
    if len(tied) > room:
        tied = np.array(sorted(tied.tolist(), key=lambda at: name_of(int(places[at])))[:room])
    chosen = np.concatenate([above, tied])
    return scores[chosen], places[chosen]
