"""Encode texts with a table of token vectors, using only numpy and tokenizers.

sentence-transformers computes the same vectors, but its import takes ten seconds, longer than a search of some thousand
passages with such a model.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from synthrank.errors import ModelError
from synthrank.runtime.special_tokens import read_as_text
from synthrank.vectors.store import Vectors

MODULE = "StaticEmbedding"
"""The class of such a model in sentence-transformers."""


def is_static(model: Path) -> bool:
    """Return whether a folder contains a sentence-transformers model of a single StaticEmbedding.

    Args:
        model: the folder.
    """
    modules = model / "modules.json"
    if not modules.is_file():
        return False
    try:
        stated = json.loads(modules.read_text(encoding="utf-8"))
    except ValueError:
        return False  # the library raises the error
    return isinstance(stated, list) and len(stated) == 1 and str(stated[0].get("type", "")).rpartition(".")[2] == MODULE


class StaticEncoder:
    """A static bi-encoder with its prefixes that maps queries and passages to vectors of unit length."""

    def __init__(self, model: Path, *, query_prefix: str, passage_prefix: str, max_length: int) -> None:
        """Load the table and the tokenizer.

        Args:
            model: the folder, in the format of sentence-transformers.
            query_prefix: prefix of every query.
            passage_prefix: prefix of every passage.
            max_length: maximum number of tokens per text.

        Raises:
            ModelError: the table or the tokenizer is missing, or a value of the table is not finite.
        """
        place = model / json.loads((model / "modules.json").read_text(encoding="utf-8"))[0].get("path", "")
        try:
            self._table = load_file(place / "model.safetensors")["embedding.weight"].astype(np.float32, copy=False)
            self._tokenizer = Tokenizer.from_file(str(place / "tokenizer.json"))
        except Exception as error:  # tokenizers raises no subclass
            raise ModelError(
                f"{model}: not a static model ({error}); expected model.safetensors and tokenizer.json"
            ) from error
        if not np.isfinite(self._table).all():
            raise ModelError(f"{model}: the table has values that are not finite; expected finite numbers")
        read_as_text(self._tokenizer, query_prefix, passage_prefix)
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
            # Single texts, because the library tokenises a batch on all cores.
            tokens = self._tokenizer.encode(prefix + text, add_special_tokens=False).ids
            if tokens:
                mean = self._table[tokens].mean(axis=0)
                row[:] = mean / max(np.linalg.norm(mean), 1e-12)
        return vectors
