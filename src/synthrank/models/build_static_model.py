"""Make a bi-encoder out of the token table of a language model: the mean of the vectors of a text's tokens."""

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthrank.errors import ModelError
from synthrank.files import atomic_path, json_lines, sha256_of, write_json
from synthrank.specs.base import load
from synthrank.specs.models import ModelSpec, TokenTableModel
from synthrank.texts import chunks

TEXTS_AT_ONCE = 4096
"""Passages tokenised together: memory stays bounded."""

Table = npt.NDArray[np.float32]
"""Shape (tokens, dimensions)."""

_log = logging.getLogger(__name__)


def build_static_model(*, spec: Path, base: Path, passages: list[Path], model: Path) -> None:
    """Write the token table of a model as a sentence-transformers StaticEmbedding.

    The table as it is was never trained for retrieval: its mean is dominated by frequent tokens. With ``idf`` the table
    is centred, its first principal components are removed (Mu and Viswanath 2018, All-but-the-Top), rows get unit
    length, and each is multiplied by the inverse document frequency of its token, log((N + 1) / (n + 1)), over the
    passages of a corpus; no query and no judgment is read.

    Args:
        spec: the model's file of config/models.
        base: the folder of the model whose table is taken.
        passages: the passages of the corpus of ``idf``; empty where the entity states none.
        model: the folder to make: modules.json, tokenizer.json, safetensors and ``source.json``.

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
    tokenizer.no_truncation()
    tokenizer.no_padding()
    table = _table(base, spec)
    if passages:
        table = weighted(table, _idf(tokenizer, passages[0], len(table)), entity.components)
    with atomic_path(model) as target:
        SentenceTransformer(
            modules=[StaticEmbedding(tokenizer, embedding_weights=table)], device="cpu"
        ).save_pretrained(str(target), create_model_card=False, safe_serialization=True)
        weights = {str(path.relative_to(target)): sha256_of(path) for path in sorted(target.rglob("*.safetensors"))}
        write_json(target / "source.json", {"entity": entity.model_dump(mode="json"), "weights": weights})
    _log.info("%s: %d tokens, %d dimensions", model, *table.shape)


def _table(base: Path, spec: Path) -> Table:
    from transformers import AutoModel

    try:
        loaded = AutoModel.from_pretrained(base, local_files_only=True, trust_remote_code=False, dtype="float32")
        table = loaded.get_input_embeddings().weight
    except (AttributeError, NotImplementedError, OSError, ValueError) as error:
        raise ModelError(f"{spec}: model: {base} has no token table ({error}); name a transformers model") from error
    array: Table = table.detach().numpy().copy()
    return array


def _idf(tokenizer: object, passages: Path, tokens: int) -> Table:
    """Return the inverse document frequency of every token."""
    count, found = 0, np.zeros(tokens, dtype=np.int64)
    texts: Iterable[str] = (row["text"] for _, row in json_lines(passages))
    for some in chunks(texts, TEXTS_AT_ONCE):
        for encoding in tokenizer.encode_batch(some, add_special_tokens=False):  # type: ignore[attr-defined]
            count += 1
            found[np.unique(encoding.ids).astype(np.int64)] += 1
    frequency: Table = np.log((count + 1) / (found + 1)).astype(np.float32)
    return frequency


def weighted(table: Table, idf: Table, components: int) -> Table:
    """Return a table without its mean and first principal components, rows of unit length times their ``idf``.

    Args:
        table: shape (tokens, dimensions).
        idf: shape (tokens,).
        components: how many principal components are removed.
    """
    centred = table - table.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)  # rising eigenvalues
    first = vectors[:, ::-1][:, :components]
    rest = centred - centred @ first @ first.T
    lengths = np.linalg.norm(rest, axis=1, keepdims=True)
    result: Table = (rest / np.maximum(lengths, np.finfo(np.float32).tiny) * idf[:, None]).astype(np.float32)
    return result
