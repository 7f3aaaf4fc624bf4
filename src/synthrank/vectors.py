"""One vector a text, and exact search among them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import faiss
import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling

from synthrank.devices import device, dtype
from synthrank.errors import DataError, ModelError
from synthrank.files import write_json
from synthrank.progress import Progress
from synthrank.records import Query
from synthrank.texts import chunks
from synthrank.trec import Run

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions), rows of unit length where the similarity is the cosine."""

Similarity = Literal["cosine", "dot"]
"""What the inner product of two vectors is: their cosine, all of unit length, or their dot product as they come."""

PoolingMode = Literal["mean", "cls"]
"""How the vectors of a text's tokens become one: their mean, or that of the first token."""

CHUNK = 4096
"""Texts encoded between two additions to an index: sorting by length pays, and memory stays bounded."""


class TextEncoder:
    """A bi-encoder with its prefixes: queries and passages in, vectors out."""

    def __init__(
        self,
        model: Path,
        *,
        query_prefix: str,
        passage_prefix: str,
        max_length: int,
        dtype_name: str,
        batch_size: int,
        similarity: Similarity = "cosine",
        pooling: PoolingMode | None = None,
    ) -> None:
        """Load the model.

        Args:
            model: its folder.
            query_prefix: put before every query.
            passage_prefix: put before every passage.
            max_length: tokens a text is cut to.
            dtype_name: the type of the weights.
            batch_size: texts a forward pass.
            similarity: ``cosine`` makes the vectors one long, ``dot`` leaves them as the model gives them.
            pooling: how token vectors become one; None leaves it to the model's own files, or the mean.
        """
        self._model = open_bi_encoder(model, dtype_name, pooling)
        self._normalise = similarity == "cosine"
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
            normalize_embeddings=self._normalise,
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        array: Vectors = vectors.float().cpu().numpy()
        return array


def open_bi_encoder(
    model: Path, dtype_name: str = "float32", pooling: PoolingMode | None = None
) -> SentenceTransformer:
    """Load a bi-encoder from a folder; a plain transformer gets mean pooling, as E5 and its kin use.

    Args:
        model: the folder.
        dtype_name: the type of the weights.
        pooling: takes the place of the model's own pooling.

    Raises:
        ModelError: the folder holds no model that can be read without running foreign code, or none with a pooling.
    """
    try:
        encoder = SentenceTransformer(
            str(model), device=device(), local_files_only=True, model_kwargs={"dtype": dtype(dtype_name)}
        )
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{model}: not a bi-encoder ({error}); expected config.json, tokenizer, safetensors"
        ) from error
    if pooling:
        places = [place for place, module in enumerate(encoder) if isinstance(module, Pooling)]
        if len(places) != 1:
            raise ModelError(
                f"{model}: has {len(places)} pooling modules; pooling {pooling!r} can take the place of one"
            )
        encoder[places[0]] = Pooling(encoder[places[0]].embedding_dimension, pooling)
    return encoder


class VectorIndex:
    """Vectors with their passages' ids, searched exhaustively by inner product."""

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
        """Return the ``depth`` nearest passages of each query, by inner product.

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
