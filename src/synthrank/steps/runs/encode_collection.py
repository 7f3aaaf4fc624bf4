"""Step encode_collection: encode a shard of a corpus with a bi-encoder, for several test sets."""

from pathlib import Path
from typing import Literal

from synthrank.data.files import atomic_path, count_lines
from synthrank.data.passage_texts import id_texts
from synthrank.data.shards import Shard
from synthrank.rankers.cosine import open_encoder
from synthrank.steps.runs.testsets import read_searcher
from synthrank.vectors.store import passage_encoder, write_encodings


def encode_collection(
    *,
    checkpoint: Path,
    ranker: Path,
    passages: Path,
    passages_as: Literal["passages", "queries"],
    shard: str,
    vectors: Path,
) -> None:
    """Encode a shard of the passages.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file, without ``rerank``.
        passages: the passages of the corpus.
        passages_as: use the prefix of ``passages`` or of ``queries``.
        shard: the shard, such as ``2-of-4``.
        vectors: the folder of encodings to write.

    Raises:
        ConfigError: the ranker is not a bi-encoder.
    """
    spec, part = read_searcher(ranker), Shard.parse(shard)
    encode = passage_encoder(open_encoder(spec, checkpoint), passages_as)
    with atomic_path(vectors) as folder:
        write_encodings(encode, id_texts(passages), count_lines(passages), folder, shard=part)
