"""The index of a dense retriever as its entity says: built and searched by the one of its kind.

A flat index is the vectors themselves, a folder of encodings; the other kinds are faiss's.
"""

from collections.abc import Sequence
from pathlib import Path

from synthrank.encodings import Encodings, Vectors, read_encodings
from synthrank.nearest import nearest
from synthrank.records import Query
from synthrank.retrievers import approximate
from synthrank.specs.retrievers import Dense, FlatIndex
from synthrank.trec import Run, rank


def build(encodings: Encodings, spec: Dense, folder: Path) -> None:
    """Build the index of a collection's vectors in a new folder.

    Raises:
        ConfigError: the vectors are too few for the index, or cannot be divided as the entity file says.
    """
    if isinstance(spec.index, FlatIndex):
        encodings.copy(folder)
    else:
        approximate.build(encodings, spec.index, folder)


def search(folder: Path, spec: Dense, vectors: Vectors, queries: Sequence[Query]) -> Run:
    """Return the best passages of each query, as many as the entity says, ranked by inner product.

    Args:
        folder: what :func:`build` made.
        spec: the retriever.
        vectors: the queries' vectors, shape (queries, dimensions).
        queries: the queries, in the same order.

    Raises:
        DataError: the folder is of another version or kind.
    """
    if isinstance(spec.index, FlatIndex):
        found = nearest(read_encodings(folder), vectors, queries, spec.depth)
        return {query: rank(scored) for query, scored in found.items()}
    return approximate.search(folder, spec.index, vectors, queries, spec.depth)
