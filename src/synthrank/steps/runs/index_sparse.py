"""Step index_sparse: build an impact index of a corpus."""

import logging
from pathlib import Path

from synthrank.data.files import atomic_path, count_lines
from synthrank.retrievers.impacts import index_impacts

log = logging.getLogger(__name__)


def index_sparse(*, passages: Path, shards: list[Path], index: Path, threads: int = 1) -> None:
    """Index the impacts of all shards.

    Args:
        passages: JSON lines of the passages; the step only counts them.
        shards: the folders that encode_sparse wrote, in the order of the shards.
        index: the folder of the Lucene index to write.
        threads: the number of threads of Anserini.
    """
    with atomic_path(index) as folder:
        log.info("%d passages indexed", index_impacts(shards, count_lines(passages), folder, threads))
