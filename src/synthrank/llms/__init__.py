"""Backends of language models, one module per backend, opened from a file of ``config/llms``.

A backend is a class with the methods of :class:`~synthrank.llms.base.Llm`. To add a backend, add a module here, a model
in ``config.llms`` and a case in :func:`open_llm`, which imports the module on demand. Steps call :func:`open_stored`,
which puts the store of replies in front of the backend.
"""

import json
from functools import cache, partial
from pathlib import Path

from synthrank.config.llms import GeminiLlm, LlmSpec, OpenAiLlm
from synthrank.data.files import sha256_of
from synthrank.errors import ModelError
from synthrank.llms.base import Llm
from synthrank.llms.store.budget import Budget
from synthrank.llms.store.cached_llm import StoredLlm
from synthrank.llms.store.store import BATCHES, folder_of, open_store, spent_usd
from synthrank.runtime.environment import budget_usd, store_folder
from synthrank.runtime.torch_setup import compute_dtype

TOKENIZER_FILES = (
    "*token*.json",
    "vocab*",
    "merges.txt",
    "*.model",
    "*chat_template*",
    "additional_chat_templates/*",
    "generation_config.json",
)

__all__ = ["Llm", "identity_of", "open_llm", "open_stored"]


def open_llm(
    spec: LlmSpec, model: Path | None = None, *, folder: Path | None = None, budget: Budget | None = None
) -> Llm:
    """Return the language model that an entity of ``config/llms`` describes, without a store.

    Args:
        spec: the entity.
        model: folder of the unpacked model, for a local backend.
        folder: folder of the journal of batches, for a hosted backend.
        budget: limits the spending of a hosted backend.

    Raises:
        ModelError: the backend needs a folder that is missing or not usable.
        ProviderError: the backend needs a key that the environment lacks.
    """
    if spec.backend == "echo":
        from synthrank.llms.echo import Echo

        return Echo(spec)
    if spec.backend != "local":
        from synthrank.llms.hosted import Hosted, open_client

        if folder is None:
            raise ModelError(f"{spec.model}: a hosted model needs a folder for the journal of its batches")
        client = open_client(spec)
        return Hosted(spec, client, folder, budget)
    if model is None:
        raise ModelError(f"{spec.model}: a local model needs its folder; unpack config/models/{spec.model}.yaml")
    from synthrank.llms.local import Local

    return Local(spec, model)


def identity_of(spec: LlmSpec, model: Path | None = None) -> dict[str, object]:
    """Return everything except the request that determines a model's replies.

    For a local model this includes the hashes of its weights, which ``unpack_model`` writes next to them, of its
    tokenizer and of its chat template. Two models of the same name that differ in one of them therefore have different
    identities.
    """
    if isinstance(spec, OpenAiLlm | GeminiLlm):
        from synthrank.llms.hosted import identity

        return identity(spec)
    found: dict[str, object] = {"backend": spec.backend, "sampling": spec.sampling.model_dump()}
    if spec.backend == "echo":
        found["words"] = spec.words
    if spec.backend == "local":
        source = model / "source.json" if model else None
        if source is None or not source.is_file():
            raise ModelError(f"{spec.model}: {source or 'no folder'} is absent; unpack config/models/{spec.model}.yaml")
        weights = json.loads(source.read_text(encoding="utf-8"))["weights"]
        found |= {"model": spec.model, "dtype": compute_dtype(spec.dtype), "weights": weights}
        found["tokenizer"] = {path.name: sha256_of(path) for path in _tokenizer_files(source.parent)}
    return found


def _tokenizer_files(folder: Path) -> list[Path]:
    """Return the files of a model that change its prompts or its ends: tokenizer, chat templates, generation."""
    return sorted({path for pattern in TOKENIZER_FILES for path in folder.glob(pattern) if path.is_file()})


def open_stored(spec: LlmSpec, model: Path | None = None) -> StoredLlm:
    """Return the language model with the store of replies in front of it, so that a request is sent only once.

    The model is loaded, or its key read, on the first request that the store cannot answer. A model that runs
    in-process is loaded once.
    """
    store = store_folder()
    folder = folder_of(store, spec.backend if spec.backend == "echo" else spec.model)

    @cache
    def loaded() -> Llm:
        return open_llm(spec, model)

    def backend(budget: Budget) -> Llm:
        if isinstance(spec, OpenAiLlm | GeminiLlm):
            return open_llm(spec, folder=folder / BATCHES, budget=budget)
        return loaded()

    replies, identity = open_store(folder), identity_of(spec, model)
    return StoredLlm(backend, identity, replies, spec, limit_usd=budget_usd(), spent_usd=partial(spent_usd, store))
