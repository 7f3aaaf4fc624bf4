"""Step index_bm25: an inverted index of one collection."""

import logging
from pathlib import Path

from synthrank.files import atomic_path
from synthrank.retrievers.bm25 import build_index
from synthrank.texts import id_texts

log = logging.getLogger(__name__)


def index_bm25(*, passages: Path, index: Path, threads: int = 1) -> None:
    """Index the passages of a corpus, or the written passages of a paradigm, for BM25.

    Args:
        passages: JSON lines with ``id`` and ``text``.
        index: written: the folder of a Lucene index.
        threads: how many Anserini uses.
    """
    with atomic_path(index) as folder:
        log.info("%d passages indexed", build_index(id_texts(passages), folder, threads))
