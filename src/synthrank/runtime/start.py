"""A faster start of a step: fewer garbage collections, large pages, and scikit-learn only if it is used.

sentence-transformers imports ``sklearn.metrics``, and with it scipy.stats, for a distance that no step uses. This
import takes a quarter of the time in which a training starts.
"""

import gc
import importlib
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType
from typing import Any

DEFERRED = ("sklearn", "sklearn.metrics")

COLLECT_AFTER = 100_000
"""Objects created between two garbage collections; Python's default is 700. Imports create millions that stay."""


class _Deferred(ModuleType):
    """Replaces ``sklearn.metrics`` until one of its functions is called. No pinned package imports its submodules."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

        def call(*arguments: Any, **options: Any) -> Any:
            function: Callable[..., Any] = getattr(_load(self.__name__), name)
            return function(*arguments, **options)

        return call


class _DeferredPackage(_Deferred):
    """Replaces ``sklearn`` until a submodule is imported, which needs ``__path__``, or another attribute is read."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__path__":
            return super().__getattr__(name)
        return getattr(_load(self.__name__), name)


def _load(name: str) -> ModuleType:
    for module in DEFERRED:
        if isinstance(sys.modules.get(module), _Deferred):
            del sys.modules[module]
    return importlib.import_module(name)


def start_lightly() -> None:
    """Delay the import of scikit-learn until a function is called or a submodule imported, and collect less often.

    Also set the variable that makes torch use large pages, before torch is imported: each update of a static
    bi-encoder allocates gradients of 100 MB, and small pages would take a sixth of the training time.
    """
    gc.set_threshold(COLLECT_AFTER)
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if "sklearn" not in sys.modules and (spec := find_spec("sklearn")):
        package, module = _DeferredPackage(DEFERRED[0]), _Deferred(DEFERRED[1])
        package.__spec__ = module.__spec__ = spec  # is_sklearn_available() of transformers requires it
        sys.modules |= {package.__name__: package, module.__name__: module}
