"""Step encode_sparse: compute the impacts of a shard of a corpus."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.retrievers import RetrieverSpec, Sparse
from synthrank.data.files import atomic_path, count_lines
from synthrank.data.passage_texts import id_texts
from synthrank.data.shards import Shard
from synthrank.retrievers.impacts import write_impacts
from synthrank.retrievers.sparse import ImpactEncoder


def encode_sparse(*, spec: Path, model: Path, passages: Path, shard: str, impacts: Path) -> None:
    """Encode a shard of the passages of a corpus or of a paradigm.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes passages.
        passages: JSON lines with ``id`` and ``text``.
        shard: the shard, such as ``2-of-4``.
        impacts: the folder to write: JSON lines, and their counts in ``impacts.json``.
    """
    settings: Sparse = load(RetrieverSpec, spec)
    part, total = Shard.parse(shard), count_lines(passages)
    encoder = ImpactEncoder(settings, model)
    with atomic_path(impacts) as folder:
        write_impacts(encoder.passages, id_texts(passages), total, folder, part)
