"""Step index_dense: build an index of a corpus's vectors."""

import logging
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.retrievers import Dense, RetrieverSpec
from synthrank.data.files import atomic_path, count_lines
from synthrank.errors import DataError
from synthrank.retrievers.dense_index import build
from synthrank.vectors.store import Encodings

log = logging.getLogger(__name__)


def index_dense(*, spec: Path, passages: Path, shards: list[Path], index: Path) -> None:
    """Index the vectors of all shards; the index and its results do not depend on the number of shards.

    Args:
        spec: the retriever's entity file.
        passages: JSON lines, one per vector; the step only counts them.
        shards: the folders that encode_dense wrote, in the order of the shards.
        index: the folder of the index to write, of the kind in the entity file.

    Raises:
        DataError: the corpus is empty.
        ShardError: a shard has an unexpected number of vectors.
    """
    settings: Dense = load(RetrieverSpec, spec)
    encodings = Encodings(shards, count_lines(passages))
    if not len(encodings):
        raise DataError(f"{passages}: the corpus is empty; an index needs at least one passage")
    with atomic_path(index) as folder:
        build(encodings, settings, folder)
    log.info("%d passages indexed", len(encodings))
