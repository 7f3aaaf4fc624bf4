"""Dense retrieval as an entity says: model, prefixes, lengths."""

from pathlib import Path

from synthrank.specs.retrievers import Dense
from synthrank.vectors import TextEncoder


def open_encoder(spec: Dense, model: Path) -> TextEncoder:
    """Load a dense retriever's model."""
    return TextEncoder(
        model,
        query_prefix=spec.query_prefix,
        passage_prefix=spec.passage_prefix,
        max_length=spec.max_length,
        dtype_name=spec.dtype,
        batch_size=spec.batch_size,
    )
