"""Step index_dense: the index of one collection's vectors."""

import logging
from pathlib import Path

from synthrank.encodings import Encodings
from synthrank.errors import DataError
from synthrank.files import atomic_path, count_lines
from synthrank.retrievers.dense_index import build
from synthrank.specs.base import load
from synthrank.specs.retrievers import Dense, RetrieverSpec

log = logging.getLogger(__name__)


def index_dense(*, spec: Path, passages: Path, shards: list[Path], index: Path) -> None:
    """Index the vectors of all shards; neither the index nor what is found in it depends on how many there are.

    Args:
        spec: the retriever's entity file.
        passages: JSON lines, one a vector, which are counted.
        shards: the folders that encode_dense made, from the first shard on.
        index: written: the folder of an index of the kind that the entity file says.

    Raises:
        DataError: the collection is empty.
        ShardError: a shard has another number of vectors than it should.
    """
    settings: Dense = load(RetrieverSpec, spec)
    encodings = Encodings(shards, count_lines(passages))
    if not len(encodings):
        raise DataError(f"{passages}: no passages to index; the collection is empty")
    with atomic_path(index) as folder:
        build(encodings, settings, folder)
    log.info("%d passages indexed", len(encodings))
