"""Rank with a bi-encoder: search collections, or reorder the top of a first stage by cosine."""

from pathlib import Path

import numpy as np

from synthrank.encodings import Encoder, passage_encoder
from synthrank.errors import ConfigError
from synthrank.progress import progress
from synthrank.rankers.base import Collection
from synthrank.rankers.candidates import candidates
from synthrank.specs.rankers import BiEncoderRanker
from synthrank.static_vectors import StaticEncoder, is_static
from synthrank.texts import chunks
from synthrank.trec import Run, rank

PASSAGES_AT_ONCE = 4096
"""Candidates encoded between two signs of progress: sorting by length pays."""


def open_encoder(spec: BiEncoderRanker, checkpoint: Path) -> Encoder:
    """Load what gives the vectors of a bi-encoder's queries and passages.

    Args:
        spec: the ranker.
        checkpoint: the folder of the model.

    Raises:
        ModelError: the folder holds no bi-encoder, or one that cannot read texts as long as the ranker's.
    """
    if is_static(checkpoint):
        return StaticEncoder(
            checkpoint,
            query_prefix=spec.query_prefix,
            passage_prefix=spec.passage_prefix,
            max_length=spec.eval_length,
        )
    from synthrank.vectors import TextEncoder  # here, because torch and sentence-transformers take seconds to import

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
    """Reorders the top of a first-stage run by cosine."""

    def __init__(self, spec: BiEncoderRanker, checkpoint: Path) -> None:
        """Load the model.

        Raises:
            ConfigError: the ranker searches whole collections.
        """
        if spec.rerank is None:
            raise ConfigError("a bi-encoder without `rerank` searches collections; it has no first stage to reorder")
        self._depth = spec.rerank.depth
        self._encoder = open_encoder(spec, checkpoint)

    def rank(self, collection: Collection) -> Run:
        """Return, per query of the shard, the first ``depth`` passages of the first stage by cosine.

        A passage is encoded once, with all other candidates of the shard, so that the last digit of a score may change
        with the number of shards.
        """
        given = candidates(collection, self._depth)
        places = {name: place for place, name in enumerate(given.texts)}
        some = chunks(progress(given.texts.values(), len(places), "passages"), PASSAGES_AT_ONCE)
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
