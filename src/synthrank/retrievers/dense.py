"""Dense retrieval as an entity says: model, prefixes, lengths, pooling, similarity."""

from pathlib import Path

from synthrank.specs.retrievers import Dense
from synthrank.vectors import TextEncoder


def open_encoder(spec: Dense, model: Path) -> TextEncoder:
    """Load one of a dense retriever's models, which may be another for queries than for passages."""
    return TextEncoder(
        model,
        query_prefix=spec.query_prefix,
        passage_prefix=spec.passage_prefix,
        max_length=spec.max_length,
        dtype_name=spec.dtype,
        batch_size=spec.batch_size,
        similarity=spec.similarity,
        pooling=spec.pooling,
    )
