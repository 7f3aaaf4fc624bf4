"""Step index_dense: the vectors of one collection."""

from pathlib import Path

from synthrank.files import atomic_path, json_lines
from synthrank.retrievers.dense import open_encoder
from synthrank.specs.base import load
from synthrank.specs.retrievers import Dense, RetrieverSpec
from synthrank.texts import id_texts
from synthrank.vectors import VectorIndex


def index_dense(*, spec: Path, model: Path, passages: Path, index: Path) -> None:
    """Encode the passages of a corpus, or the written passages of a paradigm, and index their vectors.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes passages.
        passages: JSON lines with ``id`` and ``text``.
        index: written: the folder of a vector index.
    """
    settings: Dense = load(RetrieverSpec, spec)
    total = sum(1 for _ in json_lines(passages))
    built = VectorIndex.build(open_encoder(settings, model), id_texts(passages), total)
    with atomic_path(index) as folder:
        built.save(folder)
