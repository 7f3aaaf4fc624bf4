"""Descriptions of a table's systems: the model, the run that they reorder, and its depth."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.config.base import NONE, load
from synthrank.config.rankers import RankerSpec
from synthrank.config.retrievers import Ordered, RetrieverSpec
from synthrank.config.testsets import TestsetSpec
from synthrank.errors import DataError, list_known


@dataclass(frozen=True, slots=True)
class Described:
    """A system on one test set; ``first_stage`` is ``none`` and ``depth`` None if it reorders no run."""

    model: str
    first_stage: str
    depth: int | None


class Systems:
    """The rankers, retrievers and test sets of a table, by name."""

    def __init__(self, rankers: Iterable[Path], retrievers: Iterable[Path], testsets: Iterable[Path]) -> None:
        """Read the entity files.

        Args:
            rankers: files of the rankers, and of the rankers that they start from.
            retrievers: files of the first stages.
            testsets: files of the test sets.
        """
        self.rankers: dict[str, Any] = {path.stem: load(RankerSpec, path) for path in rankers}
        self.retrievers: dict[str, Any] = {path.stem: load(RetrieverSpec, path) for path in retrievers}
        self.testsets: dict[str, TestsetSpec] = {path.stem: load(TestsetSpec, path) for path in testsets}

    def is_ranker(self, system: str) -> bool:
        """Return whether a system is a ranker, fused (``RANKER+RETRIEVER``) or not, rather than a first stage."""
        return _alone(system) in self.rankers

    def describe(self, system: str, testset: str) -> Described:
        """Return the description of a system on a test set.

        Raises:
            DataError: the system has no entity file.
        """
        if self.is_ranker(system):
            spec = self.rankers[_alone(system)]
            first_stage, depth = self.testsets[testset].reranked(spec.rerank) or (NONE, None)
            return Described(self._base(_alone(system)), first_stage, depth)
        if system not in self.retrievers:
            names = list_known([*self.rankers, *self.retrievers])
            raise DataError(f"results/metrics: {system!r} is not a ranker or first stage of the table ({names})")
        spec = self.retrievers[system]
        model = spec.llm if isinstance(spec, Ordered) else getattr(spec, "model", "")
        return Described(model, NONE, None)

    def _base(self, ranker: str) -> str:
        """Return the pretrained model of a ranker, or of the ranker that it starts from."""
        base = self.rankers[ranker].base
        return base.model or self._base(base.ranker)


def _alone(system: str) -> str:
    return system.split("+", 1)[0]
