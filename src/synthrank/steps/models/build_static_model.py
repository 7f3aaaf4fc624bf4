"""Step build_static_model: build a bi-encoder that averages the token vectors of a language model's embeddings."""

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthrank.config.base import load
from synthrank.config.models import ModelSpec, TokenTableModel
from synthrank.data.files import atomic_path, json_lines, sha256_of, write_json
from synthrank.data.passage_texts import split_into_batches
from synthrank.errors import ModelError
from synthrank.runtime.special_tokens import read_as_text

TEXTS_AT_ONCE = 4096
"""Passages per tokenizer call; bounds memory."""

VectorTable = npt.NDArray[np.float32]
"""Shape (tokens, dimensions)."""

_log = logging.getLogger(__name__)


def build_static_model(*, spec: Path, base: Path, passages: list[Path], model: Path) -> None:
    """Write the token embeddings of a model as a sentence-transformers StaticEmbedding.

    The table was not trained for retrieval, and frequent tokens dominate its mean. With ``idf``, the table is centred,
    its first principal components are removed (Mu and Viswanath 2018, All-but-the-Top), and each row gets unit length
    times the inverse document frequency of its token, log((N + 1) / (n + 1)), over the passages of a corpus. Queries
    and judgments are not used.

    Args:
        spec: the model's file of config/models.
        base: the folder of the model with the token table.
        passages: the passages of the corpus that ``idf`` names; empty without ``idf``.
        model: the folder to create: modules.json, tokenizer.json, safetensors and ``source.json``.

    Raises:
        ModelError: the base has no token table, or no tokenizer.json.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    entity: TokenTableModel = load(ModelSpec, spec)
    if not (base / "tokenizer.json").is_file():
        raise ModelError(f"{spec}: model: {base} has no tokenizer.json; a static model needs a fast tokenizer")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    read_as_text(tokenizer)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    table = _read_table(base, spec)
    if passages:
        table = weighted(table, _weight_by_idf(tokenizer, passages[0], len(table)), entity.components)
    with atomic_path(model) as target:
        SentenceTransformer(
            modules=[StaticEmbedding(tokenizer, embedding_weights=table)], device="cpu"
        ).save_pretrained(str(target), create_model_card=False, safe_serialization=True)
        weights = {str(path.relative_to(target)): sha256_of(path) for path in sorted(target.rglob("*.safetensors"))}
        write_json(target / "source.json", {"entity": entity.model_dump(mode="json"), "weights": weights})
    _log.info("%s: %d tokens, %d dimensions", model, *table.shape)


def _read_table(base: Path, spec: Path) -> VectorTable:
    from transformers import AutoModel

    try:
        loaded = AutoModel.from_pretrained(base, local_files_only=True, trust_remote_code=False, dtype="float32")
        table = loaded.get_input_embeddings().weight
    except (AttributeError, NotImplementedError, OSError, ValueError) as error:
        raise ModelError(f"{spec}: model: {base} has no token table ({error}); name a transformers model") from error
    array: VectorTable = table.detach().numpy().copy()
    return array


def _weight_by_idf(tokenizer: object, passages: Path, tokens: int) -> VectorTable:
    """Return the inverse document frequency of every token."""
    count, found = 0, np.zeros(tokens, dtype=np.int64)
    texts: Iterable[str] = (row["text"] for _, row in json_lines(passages))
    for some in split_into_batches(texts, TEXTS_AT_ONCE):
        for encoding in tokenizer.encode_batch(some, add_special_tokens=False):  # type: ignore[attr-defined]
            count += 1
            found[np.unique(encoding.ids).astype(np.int64)] += 1
    frequency: VectorTable = np.log((count + 1) / (found + 1)).astype(np.float32)
    return frequency


def weighted(table: VectorTable, idf: VectorTable, components: int) -> VectorTable:
    """Return a table without its mean and first principal components; each row has the length of its ``idf``.

    Args:
        table: shape (tokens, dimensions).
        idf: shape (tokens,).
        components: the number of principal components to remove.
    """
    centred = table - table.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)  # in ascending order of eigenvalues
    first = vectors[:, ::-1][:, :components]
    rest = centred - centred @ first @ first.T
    lengths = np.linalg.norm(rest, axis=1, keepdims=True)
    result: VectorTable = (rest / np.maximum(lengths, np.finfo(np.float32).tiny) * idf[:, None]).astype(np.float32)
    return result
