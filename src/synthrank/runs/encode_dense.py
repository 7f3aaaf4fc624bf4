"""Step encode_dense: the vectors of a shard of one collection."""

from pathlib import Path
from typing import Literal

from synthrank.encodings import passage_encoder, write_encodings
from synthrank.files import atomic_path, count_lines
from synthrank.retrievers.dense import open_encoder
from synthrank.shards import Shard
from synthrank.specs.base import load
from synthrank.specs.retrievers import Dense, RetrieverSpec
from synthrank.texts import id_texts


def encode_dense(
    *,
    spec: Path,
    model: Path,
    passages: Path,
    shard: str,
    vectors: Path,
    passages_as: Literal["passages", "queries"] = "passages",
) -> None:
    """Encode a shard of the passages of a corpus, or of the written passages of a paradigm.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes passages.
        passages: JSON lines with ``id`` and ``text``.
        shard: which shard, such as ``2-of-4``.
        vectors: written: a folder of encodings, in the number type that the index needs.
        passages_as: which prefix stands before them, that of ``passages`` or of ``queries``.
    """
    settings: Dense = load(RetrieverSpec, spec)
    part, total = Shard.parse(shard), count_lines(passages)
    encoder = open_encoder(settings, model)
    with atomic_path(vectors) as folder:
        encode = passage_encoder(encoder, passages_as)
        write_encodings(encode, id_texts(passages), total, folder, settings.index.dtype, shard=part)
