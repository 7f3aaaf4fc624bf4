"""Build and search the index of a dense retriever, by the kind in the retriever's file.

A flat index is a folder of encodings, the vectors themselves. The other kinds are faiss indexes.
"""

from collections.abc import Sequence
from pathlib import Path

from synthrank.config.retrievers import Dense, FlatIndex
from synthrank.data.records import Query
from synthrank.data.trec import Run, rank
from synthrank.retrievers import approximate
from synthrank.vectors.exact_search import nearest
from synthrank.vectors.store import Encodings, Vectors, read_encodings


def build(encodings: Encodings, spec: Dense, folder: Path) -> None:
    """Build the index of a corpus's vectors in a new folder.

    Raises:
        ConfigError: there are too few vectors to train the index, or ``m`` does not divide their dimensions.
    """
    if isinstance(spec.index, FlatIndex):
        encodings.copy(folder)
    else:
        approximate.build(encodings, spec.index, folder)


def search(folder: Path, spec: Dense, vectors: Vectors, queries: Sequence[Query]) -> Run:
    """Return the ``depth`` best passages per query, ranked by inner product.

    Args:
        folder: the folder made by :func:`build`.
        spec: the retriever.
        vectors: the queries' vectors, shape (queries, dimensions).
        queries: the queries, in the same order.

    Raises:
        DataError: the folder has another version or kind.
    """
    if isinstance(spec.index, FlatIndex):
        found = nearest(read_encodings(folder), vectors, queries, spec.depth)
        return {query: rank(scored) for query, scored in found.items()}
    return approximate.search(folder, spec.index, vectors, queries, spec.depth)
