"""One vector a text, and exact search among them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from synthrank.devices import device, dtype
from synthrank.errors import DataError, ModelError
from synthrank.files import json_lines, write_json
from synthrank.progress import Progress
from synthrank.records import Query
from synthrank.texts import chunks
from synthrank.trec import Run

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions), rows of unit length."""

CHUNK = 4096
"""Texts encoded between two additions to an index: sorting by length pays, and memory stays bounded."""


class TextEncoder:
    """A bi-encoder with its prefixes: queries and passages in, unit vectors out."""

    def __init__(
        self,
        model: Path,
        *,
        query_prefix: str,
        passage_prefix: str,
        max_length: int,
        dtype_name: str,
        batch_size: int,
    ) -> None:
        """Load the model.

        Args:
            model: its folder.
            query_prefix: put before every query.
            passage_prefix: put before every passage.
            max_length: tokens a text is cut to.
            dtype_name: the type of the weights.
            batch_size: texts a forward pass.
        """
        self._model = open_bi_encoder(model, dtype_name)
        self._model.max_seq_length = max_length
        self._prefixes = query_prefix, passage_prefix
        self._batch_size = batch_size

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of queries."""
        return self._encode(texts, self._prefixes[0])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of passages."""
        return self._encode(texts, self._prefixes[1])

    def _encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        vectors = self._model.encode(
            [prefix + text for text in texts],
            batch_size=self._batch_size,
            normalize_embeddings=True,
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        array: Vectors = vectors.float().cpu().numpy()
        return array


def open_bi_encoder(model: Path, dtype_name: str = "float32") -> SentenceTransformer:
    """Load a bi-encoder from a folder; a plain transformer gets mean pooling, as E5 and its kin use.

    Raises:
        ModelError: the folder holds no model that can be read without running foreign code.
    """
    try:
        return SentenceTransformer(
            str(model), device=device(), local_files_only=True, model_kwargs={"dtype": dtype(dtype_name)}
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{model}: not a bi-encoder ({error}); expected config.json, tokenizer, safetensors"
        ) from error


class VectorIndex:
    """Unit vectors with their passages' ids, searched exhaustively by inner product, which is their cosine."""

    def __init__(self, index: faiss.Index, ids: list[str]) -> None:
        self._index, self._ids = index, ids

    @classmethod
    def build(cls, encoder: TextEncoder, passages: Iterable[tuple[str, str]], total: int) -> "VectorIndex":
        """Encode (id, text) pairs and index them."""
        index, ids = None, []
        with Progress(total, "passages") as state:
            for chunk in chunks(passages, CHUNK):
                vectors = encoder.passages([text for _, text in chunk])
                index = index or faiss.IndexFlatIP(vectors.shape[1])
                index.add(vectors)
                ids += [name for name, _ in chunk]
                state.advance(len(chunk))
        if index is None:
            raise DataError("no passages to index; the collection is empty")
        return cls(index, ids)

    def save(self, folder: Path) -> None:
        """Write the index into a new folder."""
        folder.mkdir()
        faiss.write_index(self._index, str(folder / "vectors.faiss"))
        write_json(folder / "ids.json", self._ids)

    @classmethod
    def load(cls, folder: Path) -> "VectorIndex":
        """Read an index that :meth:`save` wrote."""
        return cls(faiss.read_index(str(folder / "vectors.faiss")), json.loads((folder / "ids.json").read_text()))

    def search(self, vectors: Vectors, queries: Sequence[Query], depth: int) -> Run:
        """Return the ``depth`` nearest passages of each query, by cosine.

        Args:
            vectors: the queries' vectors, shape (queries, dimensions).
            queries: the queries, in the same order.
            depth: how many passages; fewer where the collection is smaller.
        """
        scores, places = self._index.search(vectors, min(depth, len(self._ids)))
        return {
            query.id: [(self._ids[place], float(score)) for place, score in zip(row, values, strict=True)]
            for query, row, values in zip(queries, places, scores, strict=True)
        }


def id_texts(passages: Path) -> Iterable[tuple[str, str]]:
    """Yield (id, text) of each passage of a file."""
    return ((item["id"], item["text"]) for _, item in json_lines(passages))
