"""One vector a text, by a bi-encoder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding

from synthrank.devices import device, dtype
from synthrank.errors import ModelError
from synthrank.weights import own_weights, refuse_long

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions), rows of unit length where the similarity is the cosine."""

Similarity = Literal["cosine", "dot"]
"""What the inner product of two vectors is: their cosine, all of unit length, or their dot product as they come."""

PoolingMode = Literal["mean", "cls"]
"""How the vectors of a text's tokens become one: their mean, or that of the first token."""


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

        Raises:
            ModelError: the folder holds no bi-encoder, or one that cannot read so many tokens.
        """
        self._folder = model
        self._model = open_bi_encoder(model, dtype_name, pooling)
        refuse_long(self._model.transformers_model, model, max_length)
        self._normalise = similarity == "cosine"
        cut_to(self._model, max_length)
        self._prefixes = query_prefix, passage_prefix
        self._batch_size = batch_size

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of queries.

        Raises:
            ModelError: a vector is not finite.
        """
        return self._encode(texts, self._prefixes[0])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of passages.

        Raises:
            ModelError: a vector is not finite.
        """
        return self._encode(texts, self._prefixes[1])

    def passages_as(self, side: Literal["passages", "queries"]) -> Callable[[Sequence[str]], Vectors]:
        """Return what encodes passages, with their own prefix or with that of queries."""
        return self.queries if side == "queries" else self.passages

    def _encode(self, texts: Sequence[str], prefix: str) -> Vectors:
        vectors = self._model.encode(
            [prefix + text for text in texts],
            batch_size=self._batch_size,
            normalize_embeddings=self._normalise,
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        array: Vectors = vectors.float().cpu().numpy()
        finite = np.isfinite(array).all(axis=1)
        if not finite.all():
            text = texts[int(np.argmin(finite))]
            raise ModelError(f"{self._folder}: the vector of {text[:60]!r} is not finite; expected finite numbers")
        return array


def open_bi_encoder(
    model: Path, dtype_name: str = "float32", pooling: PoolingMode | None = None
) -> SentenceTransformer:
    """Load a bi-encoder from a folder; a plain transformer gets mean pooling, as E5 and its kin use.

    Prompts that the model's own files name are dropped: nothing stands before a text but what an entity states.

    Args:
        model: the folder.
        dtype_name: the type of the weights.
        pooling: takes the place of the model's own pooling.

    Raises:
        ModelError: the folder holds no model that can be read without running foreign code, lacks weights of it, or has
            none with a pooling.
    """
    try:
        with own_weights(model):
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
    without_prompts(encoder)
    encoder.set_pooling_include_prompt(True)  # a stated prefix is a part of the text, in training as in search
    return encoder


def without_prompts(model: Any) -> None:
    """Drop the prompts of a model's own files, in place: the library puts one before every text unless told not to.

    Args:
        model: a bi-encoder, cross-encoder or sparse encoder of the library.
    """
    model.prompts = dict.fromkeys(type(model)._default_prompts, "")
    model.default_prompt_name = None


def cut_to(model: SentenceTransformer, length: int) -> None:
    """Make a bi-encoder read at most so many tokens of a text, in place."""
    if isinstance(model[0], StaticEmbedding):
        model[0].tokenizer.enable_truncation(length)  # the library lets its length be read only
    else:
        model.max_seq_length = length
