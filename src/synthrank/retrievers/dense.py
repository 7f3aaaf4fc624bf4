"""The encoders of dense retrievers."""

from pathlib import Path

from synthrank.config.retrievers import Dense
from synthrank.vectors.encoder import TextEncoder


def open_encoder(spec: Dense, model: Path) -> TextEncoder:
    """Load a model of a dense retriever; queries and passages may have different models."""
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
