"""Step encode_sparse: the impacts of a shard of one collection."""

from pathlib import Path

from synthrank.files import atomic_path, count_lines
from synthrank.retrievers.impacts import write_impacts
from synthrank.retrievers.sparse import ImpactEncoder
from synthrank.shards import Shard
from synthrank.specs.base import load
from synthrank.specs.retrievers import RetrieverSpec, Sparse
from synthrank.texts import id_texts


def encode_sparse(*, spec: Path, model: Path, passages: Path, shard: str, impacts: Path) -> None:
    """Encode a shard of the passages of a corpus, or of the written passages of a paradigm.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes passages.
        passages: JSON lines with ``id`` and ``text``.
        shard: which shard, such as ``2-of-4``.
        impacts: written: a folder of JSON lines, and ``impacts.json`` that counts them.
    """
    settings: Sparse = load(RetrieverSpec, spec)
    part, total = Shard.parse(shard), count_lines(passages)
    encoder = ImpactEncoder(settings, model)
    with atomic_path(impacts) as folder:
        write_impacts(encoder.passages, id_texts(passages), total, folder, part)
