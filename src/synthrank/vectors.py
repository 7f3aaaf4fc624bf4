"""One vector a text, by a bi-encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerBase

from synthrank.devices import device, dtype
from synthrank.errors import ModelError
from synthrank.specs.models import PoolingMode
from synthrank.weights import own_weights, refuse_long

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions), rows of unit length where the similarity is the cosine."""

Similarity = Literal["cosine", "dot"]
"""What the inner product of two vectors is: their cosine, all of unit length, or their dot product as they come."""

LIBRARY_NAMES = {"mean": "mean", "cls": "cls", "last": "lasttoken"}
"""Of the ways of pooling, in sentence-transformers."""


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

    Prompts that the model's own files name are dropped, and a plain decoder's chat template is not used: nothing stands
    before a text but what an entity states.

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
    if not (model / "modules.json").is_file():
        pooling = pooling or "mean"  # the library takes the last token of a decoder
        without_chat(encoder)
    if pooling:
        places = [place for place, module in enumerate(encoder) if isinstance(module, Pooling)]
        if len(places) != 1:
            raise ModelError(
                f"{model}: has {len(places)} pooling modules; pooling {pooling!r} can take the place of one"
            )
        encoder[places[0]] = Pooling(encoder[places[0]].embedding_dimension, LIBRARY_NAMES[pooling])
        if pooling == "last":
            end_texts(encoder.tokenizer, model)
    without_prompts(encoder)
    pad_right(encoder)
    encoder.set_pooling_include_prompt(True)  # a stated prefix is a part of the text, in training as in search
    return encoder


def without_prompts(model: Any) -> None:
    """Drop the prompts of a model's own files, in place: the library puts one before every text unless told not to.

    Args:
        model: a bi-encoder, cross-encoder or sparse encoder of the library.
    """
    model.prompts = dict.fromkeys(type(model)._default_prompts, "")
    model.default_prompt_name = None


def without_chat(model: SentenceTransformer) -> None:
    """Make a bi-encoder read a text as it is, in place: with a chat template the library makes it a user's message."""
    kinds = model[0].modality_config
    kinds.pop("message", None)
    model[0].input_formatter.supported_modalities = list(kinds)


def pad_right(model: Any) -> None:
    """Make a model pad at the right, in place: every position then is what it is without padding.

    Decoders' tokenizers pad at the left, for generation; batches that are cut into runs of like length cannot.

    Args:
        model: a bi-encoder or cross-encoder of the library.
    """
    if isinstance(model.tokenizer, PreTrainedTokenizerBase):
        model.tokenizer.padding_side = "right"


def end_texts(tokenizer: Any, folder: Path) -> None:
    """Make a tokenizer put its end-of-text token after every text, in place, unless it puts a special token there.

    As Qwen3-Embedding's does: the last token, whose vector is that of the text, is then the same in all texts. A text
    that is cut ends with it too, and the tokenizer that is saved does the same elsewhere.

    Args:
        tokenizer: a fast one.
        folder: where it is from, for the error.

    Raises:
        ModelError: it is not fast, or has no such token.
    """
    closed, plain = (tokenizer("a", add_special_tokens=added)["input_ids"] for added in (True, False))
    if closed[-1] in tokenizer.all_special_ids:
        return
    end = tokenizer.eos_token
    if end is None or not tokenizer.is_fast:
        raise ModelError(f"{folder}: pooling 'last' needs a fast tokenizer with an eos_token; state another pooling")
    before = tokenizer.convert_ids_to_tokens(closed[: len(closed) - len(plain)])
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=[*before, "$A", end],
        pair=[*before, "$A", "$B", end],
        special_tokens=[(token, tokenizer.convert_tokens_to_ids(token)) for token in dict.fromkeys([*before, end])],
    )
    for flag in ("add_bos_token", "add_eos_token"):
        tokenizer.init_kwargs.pop(flag, None)  # with it, transformers would make the post-processor anew on loading


def cut_to(model: SentenceTransformer, length: int) -> None:
    """Make a bi-encoder read at most so many tokens of a text, in place."""
    if isinstance(model[0], StaticEmbedding):
        model[0].tokenizer.enable_truncation(length)  # the library lets its length be read only
    else:
        model.max_seq_length = length
