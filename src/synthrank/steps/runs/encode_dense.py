"""Step encode_dense: encode a shard of a corpus with a dense retriever."""

from pathlib import Path
from typing import Literal

from synthrank.config.base import load
from synthrank.config.retrievers import Dense, RetrieverSpec
from synthrank.data.files import atomic_path, count_lines
from synthrank.data.passage_texts import id_texts
from synthrank.data.shards import Shard
from synthrank.retrievers.dense import open_encoder
from synthrank.vectors.store import passage_encoder, write_encodings


def encode_dense(
    *,
    spec: Path,
    model: Path,
    passages: Path,
    shard: str,
    vectors: Path,
    passages_as: Literal["passages", "queries"] = "passages",
) -> None:
    """Encode a shard of the passages of a corpus or of a paradigm.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes passages.
        passages: JSON lines with ``id`` and ``text``.
        shard: the shard, such as ``2-of-4``.
        vectors: the folder of encodings to write, in the number type of the index.
        passages_as: use the prefix of ``passages`` or of ``queries``.
    """
    settings: Dense = load(RetrieverSpec, spec)
    part, total = Shard.parse(shard), count_lines(passages)
    encoder = open_encoder(settings, model)
    with atomic_path(vectors) as folder:
        encode = passage_encoder(encoder, passages_as)
        write_encodings(encode, id_texts(passages), total, folder, settings.index.dtype, shard=part)
