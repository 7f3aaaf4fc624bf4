"""Step index_sparse: the impacts of one collection."""

import logging
from pathlib import Path

from synthrank.files import atomic_path, json_lines
from synthrank.retrievers.sparse import ImpactEncoder, build_index
from synthrank.specs.base import load
from synthrank.specs.retrievers import RetrieverSpec, Sparse
from synthrank.texts import id_texts

log = logging.getLogger(__name__)


def index_sparse(*, spec: Path, model: Path, passages: Path, index: Path, threads: int = 1) -> None:
    """Encode the passages of a corpus, or the written passages of a paradigm, and index their impacts.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes passages.
        passages: JSON lines with ``id`` and ``text``.
        index: written: the folder of a Lucene index.
        threads: how many Anserini uses.
    """
    settings: Sparse = load(RetrieverSpec, spec)
    total = sum(1 for _ in json_lines(passages))
    encoder = ImpactEncoder(settings, model)
    with atomic_path(index) as folder:
        log.info("%d passages indexed", build_index(id_texts(passages), folder, encoder, total, threads))
