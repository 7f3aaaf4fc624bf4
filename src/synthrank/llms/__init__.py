"""Language models that write: one module a backend, opened by what ``config/llms`` says.

A backend is a class with the methods of :class:`~synthrank.llms.base.Llm`. A new one is a module here, a model in
``specs.llms`` and a case in :func:`open_llm`; the module is imported only when it is asked for.
"""

from pathlib import Path

from synthrank.errors import ModelError
from synthrank.llms.base import Llm
from synthrank.specs.llms import LlmSpec

__all__ = ["Llm", "open_llm"]


def open_llm(spec: LlmSpec, model: Path | None = None) -> Llm:
    """Return the language model that an entity of ``config/llms`` describes.

    Args:
        spec: the entity.
        model: folder of the unpacked model, for the backends that read one.

    Raises:
        ModelError: the backend reads a model and no usable folder was given.
    """
    if spec.backend == "echo":
        from synthrank.llms.echo import Echo

        return Echo(spec)
    if model is None:
        raise ModelError(f"{spec.model}: a local model needs its folder; unpack config/models/{spec.model}.yaml")
    from synthrank.llms.local import Local

    return Local(spec, model)
