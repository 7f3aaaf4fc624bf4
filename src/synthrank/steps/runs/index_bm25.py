"""Step index_bm25: build an inverted index of a corpus."""

import logging
from collections.abc import Iterator
from pathlib import Path

from synthrank.data.files import atomic_path
from synthrank.data.passage_texts import id_texts
from synthrank.data.words import is_visible
from synthrank.errors import DataError
from synthrank.retrievers.bm25 import build_index

log = logging.getLogger(__name__)


def index_bm25(*, passages: Path, index: Path, threads: int = 1) -> None:
    """Index the passages of a corpus or of a paradigm for BM25.

    Args:
        passages: JSON lines with ``id`` and ``text``.
        index: the folder of the Lucene index to write.
        threads: the number of threads of Anserini.

    Raises:
        DataError: a passage has no visible text.
    """
    with atomic_path(index) as folder:
        log.info("%d passages indexed", build_index(_visible_texts(passages), folder, threads))


def _visible_texts(passages: Path) -> Iterator[tuple[str, str]]:
    for place, (name, text) in enumerate(id_texts(passages), 1):
        if not is_visible(text):
            raise DataError(f"{passages}: passage {place}, {name!r}, has no visible text; Lucene cannot index it")
        yield name, text
