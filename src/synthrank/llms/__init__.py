"""Language models that write: one module a backend, opened by what ``config/llms`` says.

A backend is a class with the methods of :class:`~synthrank.llms.base.Llm`. A new one is a module here, a model in
``specs.llms`` and a case in :func:`open_llm`; the module is imported only when it is asked for. Steps open it behind
the store of replies, by :func:`open_stored`.
"""

import json
from functools import cache, partial
from pathlib import Path

from synthrank.devices import computed
from synthrank.errors import ModelError
from synthrank.llms.base import Llm
from synthrank.llms.store import folder_of, open_store, spent_usd
from synthrank.llms.stored import Budget, StoredLlm
from synthrank.specs.llms import GeminiLlm, LlmSpec, OpenAiLlm
from synthrank.variables import budget_usd, store_folder

__all__ = ["Llm", "identity_of", "open_llm", "open_stored"]


def open_llm(
    spec: LlmSpec, model: Path | None = None, *, folder: Path | None = None, budget: Budget | None = None
) -> Llm:
    """Return the language model that an entity of ``config/llms`` describes, without a store.

    Args:
        spec: the entity.
        model: folder of the unpacked model, for the backends that read one.
        folder: of the journal of batches, for the backends that are hosted.
        budget: holds a hosted backend to the money that may be spent.

    Raises:
        ModelError: the backend needs one of the folders and no usable one was given.
        ProviderError: the backend needs a key and the environment holds none.
    """
    if spec.backend == "echo":
        from synthrank.llms.echo import Echo

        return Echo(spec)
    if spec.backend != "local":
        from synthrank.llms.hosted import Hosted, open_client

        if folder is None:
            raise ModelError(f"{spec.model}: a hosted model needs a folder for the journal of its batches")
        client = open_client(spec)
        if budget is None:
            return Hosted(spec, client, folder)
        return Hosted(spec, client, folder, guard=budget.guard, check=budget.check, reserve=budget.reserve)
    if model is None:
        raise ModelError(f"{spec.model}: a local model needs its folder; unpack config/models/{spec.model}.yaml")
    from synthrank.llms.local import Local

    return Local(spec, model)


def identity_of(spec: LlmSpec, model: Path | None = None) -> dict[str, object]:
    """Return everything that determines a model's answers, beside the request.

    For a local model that is the hash of its weights, which ``unpack_model`` wrote beside them, so that a model of the
    same name from elsewhere is another one.
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
        found |= {"model": spec.model, "dtype": computed(spec.dtype), "weights": weights}
    return found


def open_stored(spec: LlmSpec, model: Path | None = None) -> StoredLlm:
    """Return the language model behind the store of replies: what was asked before is not asked again.

    The model is loaded, or its key looked for, only when something is asked that the store does not have; a model that
    runs in-process is loaded once, however often it is asked.
    """
    store = store_folder()
    folder = folder_of(store, spec.backend if spec.backend == "echo" else spec.model)

    @cache
    def loaded() -> Llm:
        return open_llm(spec, model)

    def backend(budget: Budget) -> Llm:
        if isinstance(spec, OpenAiLlm | GeminiLlm):
            return open_llm(spec, folder=folder / "batches", budget=budget)
        return loaded()

    replies, identity = open_store(folder), identity_of(spec, model)
    return StoredLlm(backend, identity, replies, spec, limit_usd=budget_usd(), spent_usd=partial(spent_usd, store))
