"""One vector per text out of a table of token vectors, by numpy and tokenizers.

sentence-transformers gives the same vectors, but importing it takes ten seconds, which is more than a search of some
thousand passages with such a model takes.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from synthrank.encodings import Vectors
from synthrank.errors import ModelError

MODULE = "StaticEmbedding"
"""The class of sentence-transformers that writes such a model."""


def is_static(model: Path) -> bool:
    """Return whether a folder holds a sentence-transformers model of one StaticEmbedding and nothing else.

    Args:
        model: the folder.
    """
    modules = model / "modules.json"
    if not modules.is_file():
        return False
    try:
        stated = json.loads(modules.read_text(encoding="utf-8"))
    except ValueError:
        return False  # the library says why it cannot be read
    return isinstance(stated, list) and len(stated) == 1 and str(stated[0].get("type", "")).rpartition(".")[2] == MODULE


class StaticEncoder:
    """A static bi-encoder with its prefixes: queries and passages in, vectors of unit length out."""

    def __init__(self, model: Path, *, query_prefix: str, passage_prefix: str, max_length: int) -> None:
        """Load the table and its tokenizer.

        Args:
            model: the folder that sentence-transformers wrote.
            query_prefix: put before every query.
            passage_prefix: put before every passage.
            max_length: tokens a text is cut to.

        Raises:
            ModelError: the folder lacks the table or the tokenizer, or the table has values that are not finite.
        """
        place = model / json.loads((model / "modules.json").read_text(encoding="utf-8"))[0].get("path", "")
        try:
            self._table = load_file(place / "model.safetensors")["embedding.weight"].astype(np.float32, copy=False)
            self._tokenizer = Tokenizer.from_file(str(place / "tokenizer.json"))
        except Exception as error:  # tokenizers raises nothing more special
            raise ModelError(
                f"{model}: not a static model ({error}); expected model.safetensors and tokenizer.json"
            ) from error
        if not np.isfinite(self._table).all():
            raise ModelError(f"{model}: its table has values that are not finite; expected finite numbers")
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length)
        self._prefixes = query_prefix, passage_prefix

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of queries, shape (queries, dimensions)."""
        return self._encode(texts, self._prefixes[0])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of passages, shape (passages, dimensions)."""
        return self._encode(texts, self._prefixes[1])

    def _encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        vectors = np.zeros((len(texts), self._table.shape[1]), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            # One text at a time: a batch would be tokenised on every core, whatever the job may use.
            tokens = self._tokenizer.encode(prefix + text, add_special_tokens=False).ids
            if tokens:
                mean = self._table[tokens].mean(axis=0)
                row[:] = mean / max(np.linalg.norm(mean), 1e-12)
        return vectors
