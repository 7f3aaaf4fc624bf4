"""Rank with a bi-encoder: search a corpus, or reorder the top passages of a first stage by cosine."""

from pathlib import Path

import numpy as np

from synthrank.config.rankers import BiEncoderRanker
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.trec import Run, rank
from synthrank.errors import ConfigError
from synthrank.rankers.base import Collection
from synthrank.rankers.candidates import candidates
from synthrank.runtime.progress import progress
from synthrank.vectors.static import StaticEncoder, is_static
from synthrank.vectors.store import Encoder, passage_encoder

PASSAGES_AT_ONCE = 4096
"""Candidates encoded per progress report. Large pages pay, because texts are sorted by length."""


def open_encoder(spec: BiEncoderRanker, checkpoint: Path) -> Encoder:
    """Load the encoder of a bi-encoder's queries and passages.

    Args:
        spec: the ranker.
        checkpoint: the folder of the model.

    Raises:
        ModelError: the folder does not contain a bi-encoder, or the model's maximum length is below the ranker's.
    """
    if is_static(checkpoint):
        return StaticEncoder(
            checkpoint,
            query_prefix=spec.query_prefix,
            passage_prefix=spec.passage_prefix,
            max_length=spec.eval_length,
        )
    from synthrank.vectors.encoder import TextEncoder  # imports torch and sentence-transformers, which takes seconds

    return TextEncoder(
        checkpoint,
        query_prefix=spec.query_prefix,
        passage_prefix=spec.passage_prefix,
        max_length=spec.eval_length,
        dtype_name="bfloat16" if spec.bf16 else "float32",
        batch_size=spec.eval_batch_size,
        pooling=spec.pooling,
    )


class BiEncoderScorer:
    """Reorder the top passages of a first stage by cosine."""

    def __init__(self, spec: BiEncoderRanker, checkpoint: Path) -> None:
        """Load the model.

        Raises:
            ConfigError: the ranker has no ``rerank``.
        """
        if spec.rerank is None:
            raise ConfigError("rerank: is missing; a bi-encoder that reorders a first stage needs it")
        self._depth = spec.rerank.depth
        self._encoder = open_encoder(spec, checkpoint)

    def rank(self, collection: Collection) -> Run:
        """Return the top ``depth`` passages of the first stage, ordered by cosine, per query of the shard.

        A passage is encoded once, together with all other candidates of the shard. The last digit of a score may
        therefore depend on the number of shards.
        """
        given = candidates(collection, self._depth)
        places = {name: place for place, name in enumerate(given.texts)}
        some = split_into_batches(progress(given.texts.values(), len(places), "passages"), PASSAGES_AT_ONCE)
        encode = passage_encoder(self._encoder, collection.passages_as)
        passages = [encode(texts) for texts in some]
        if not passages:
            return {}
        vectors = np.concatenate(passages)
        run = {}
        queries = self._encoder.queries([query.text for query in given.queries])
        for query, vector in zip(given.queries, queries, strict=True):
            names = given.ids[query.id]
            cosines = vectors[[places[name] for name in names]] @ vector
            run[query.id] = rank(zip(names, cosines.tolist(), strict=True))
        return run
