"""Step index_sparse: an impact index of one collection."""

import logging
from pathlib import Path

from synthrank.files import atomic_path, count_lines
from synthrank.retrievers.impacts import index_impacts

log = logging.getLogger(__name__)


def index_sparse(*, passages: Path, shards: list[Path], index: Path, threads: int = 1) -> None:
    """Index the impacts of all shards.

    Args:
        passages: JSON lines, which are counted.
        shards: the folders that encode_sparse made, from the first shard on.
        index: written: the folder of a Lucene index.
        threads: how many Anserini uses.
    """
    with atomic_path(index) as folder:
        log.info("%d passages indexed", index_impacts(shards, count_lines(passages), folder, threads))
