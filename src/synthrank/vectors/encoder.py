"""Encode texts as vectors with a bi-encoder."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerBase

from synthrank.config.models import PoolingMode
from synthrank.errors import ModelError
from synthrank.runtime.model_checks import own_weights, refuse_long
from synthrank.runtime.special_tokens import read_as_text
from synthrank.runtime.torch_setup import device, dtype

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions), with rows of unit length if the similarity is the cosine."""

Similarity = Literal["cosine", "dot"]
"""The inner product of two vectors: the cosine of normalised vectors, or the dot product of unchanged vectors."""

LIBRARY_NAMES = {"mean": "mean", "cls": "cls", "last": "lasttoken"}
"""Names of the pooling modes in sentence-transformers."""


class TextEncoder:
    """A bi-encoder with its prefixes that maps queries and passages to vectors."""

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
            model: the folder of the model.
            query_prefix: prefix of every query.
            passage_prefix: prefix of every passage.
            max_length: maximum number of tokens per text.
            dtype_name: the type of the weights.
            batch_size: texts per forward pass.
            similarity: ``cosine`` normalises the vectors, ``dot`` does not.
            pooling: pooling of token vectors; by default as in the model's files, or the mean.

        Raises:
            ModelError: the folder does not contain a bi-encoder, or the model's maximum length is too small.
        """
        self._folder = model
        self._model = open_bi_encoder(model, dtype_name, pooling, (query_prefix, passage_prefix))
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
    model: Path, dtype_name: str = "float32", pooling: PoolingMode | None = None, prefixes: Sequence[str] = ()
) -> SentenceTransformer:
    """Load a bi-encoder from a folder; a plain transformer gets mean pooling, like E5.

    The prompts of the model's files and the chat template of a plain decoder are not used, so the prefixes in the
    configuration are the only prefixes.

    Args:
        model: the folder.
        dtype_name: the type of the weights.
        pooling: replaces the model's pooling.
        prefixes: the prefixes of queries and passages, which the caller adds.

    Raises:
        ModelError: the folder does not contain a bi-encoder that loads without external code, weights are missing,
            the pooling cannot be replaced, or a prefix has a special token.
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
        pooling = pooling or "mean"  # the library's default for a decoder is the last token
        drop_chat_template(encoder)
    if pooling:
        places = [place for place, module in enumerate(encoder) if isinstance(module, Pooling)]
        if len(places) != 1:
            raise ModelError(
                f"{model}: has {len(places)} pooling modules; pooling {pooling!r} can only replace a single one"
            )
        encoder[places[0]] = Pooling(encoder[places[0]].embedding_dimension, LIBRARY_NAMES[pooling])
        if pooling == "last":
            end_texts(encoder.tokenizer, model)
    drop_prompts(encoder)
    pad_right(encoder, model)
    read_texts_plainly(encoder, *prefixes)
    encoder.set_pooling_include_prompt(True)  # prefixes are part of the text, in training and in search
    return encoder


def drop_prompts(model: Any) -> None:
    """Remove the prompts of a model's files, in place; the library would put one before every text.

    Args:
        model: a bi-encoder, cross-encoder or sparse encoder of the library.
    """
    model.prompts = dict.fromkeys(type(model)._default_prompts, "")
    model.default_prompt_name = None


def read_texts_plainly(model: Any, *prefixes: str) -> None:
    """Make a model read special tokens in texts as text, in place, unless its own files put texts into messages.

    Args:
        model: a bi-encoder, cross-encoder or sparse encoder of the library.
        prefixes: the prefixes of queries and passages.

    Raises:
        ModelError: a prefix has a special token.
    """
    if "message" not in getattr(model[0], "modality_config", {}):
        read_as_text(model.tokenizer, *prefixes)


def drop_chat_template(model: Any) -> None:
    """Turn off the chat template of a model, in place; the library would turn texts into a user's messages."""
    kinds = model[0].modality_config
    kinds.pop("message", None)
    model[0].input_formatter.supported_modalities = list(kinds)


def pad_right(model: Any, folder: Path) -> None:
    """Make a model pad on the right, in place, so that positions are the same with and without padding.

    Tokenizers of decoders pad on the left for generation. Batches that are cut into runs need padding on the right.

    Args:
        model: a bi-encoder or cross-encoder of the library.
        folder: the model's folder, for the error.

    Raises:
        ModelError: the tokenizer has no padding token.
    """
    if isinstance(model.tokenizer, PreTrainedTokenizerBase):
        model.tokenizer.padding_side = "right"
        if model.tokenizer.pad_token_id is None:
            raise ModelError(f"{folder}: the tokenizer has no padding token; state pad_token in tokenizer_config.json")


def end_texts(tokenizer: Any, folder: Path) -> None:
    """Make a tokenizer append its end-of-text token to every text, in place, unless it appends a special token.

    The last token, whose vector becomes the text's vector, is then the same in all texts, as with Qwen3-Embedding.
    Truncated texts also end with it, and the setting is saved with the tokenizer.

    Args:
        tokenizer: a fast tokenizer.
        folder: the tokenizer's folder, for the message of the error.

    Raises:
        ModelError: the tokenizer is not fast, or has no end-of-text token.
    """
    closed, plain = (tokenizer("a", add_special_tokens=added)["input_ids"] for added in (True, False))
    if closed[-1] in tokenizer.all_special_ids:
        return
    end = tokenizer.eos_token
    if end is None or not tokenizer.is_fast:
        raise ModelError(f"{folder}: pooling 'last' needs a fast tokenizer with an eos_token; use another pooling")
    before = tokenizer.convert_ids_to_tokens(closed[: len(closed) - len(plain)])
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=[*before, "$A", end],
        pair=[*before, "$A", "$B", end],
        special_tokens=[(token, tokenizer.convert_tokens_to_ids(token)) for token in dict.fromkeys([*before, end])],
    )
    for flag in ("add_bos_token", "add_eos_token"):
        tokenizer.init_kwargs.pop(flag, None)  # with a flag, transformers would replace the post-processor on loading


def cut_to(model: SentenceTransformer, length: int) -> None:
    """Set the maximum number of tokens per text of a bi-encoder, in place."""
    if isinstance(model[0], StaticEmbedding):
        model[0].tokenizer.enable_truncation(length)  # max_seq_length of this class is read-only
    else:
        model.max_seq_length = length


class _RememberedTokens:
    """A wrapper of a tokenizer that encodes each text only once, for trainings of several epochs."""

    TEXTS = 100_000
    """Maximum number of remembered texts, 1.5 kB each at 300 tokens; then all are forgotten."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._tokens: dict[str, SimpleNamespace] = {}

    def encode_batch(self, texts: Sequence[str], *, add_special_tokens: bool) -> list[SimpleNamespace]:
        new = list(dict.fromkeys(text for text in texts if text not in self._tokens))
        if len(self._tokens) + len(new) > self.TEXTS:
            self._tokens.clear()
            new = list(dict.fromkeys(texts))
        for text, encoded in zip(
            new, self._tokenizer.encode_batch(new, add_special_tokens=add_special_tokens), strict=True
        ):
            self._tokens[text] = SimpleNamespace(ids=array("i", encoded.ids))
        return [self._tokens[text] for text in texts]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


@contextmanager
def remember_tokens(model: SentenceTransformer) -> Iterator[None]:
    """Tokenise each text once while the block runs, if the model is static: this is half the work of its training.

    Args:
        model: the bi-encoder; other architectures stay unchanged, because their forward pass takes much longer.
    """
    if not isinstance(model[0], StaticEmbedding):
        yield
        return
    tokenizer = model[0].tokenizer
    model[0].tokenizer = _RememberedTokens(tokenizer)
    try:
        yield
    finally:
        model[0].tokenizer = tokenizer
