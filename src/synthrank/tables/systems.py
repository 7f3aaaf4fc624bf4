"""What the systems of a table are: which model, which run they reorder, how deep."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.errors import DataError, known
from synthrank.specs.base import NONE, load
from synthrank.specs.rankers import RankerSpec
from synthrank.specs.retrievers import Ordered, RetrieverSpec
from synthrank.specs.testsets import TestsetSpec


@dataclass(frozen=True, slots=True)
class Described:
    """A system on one test set; ``first_stage`` is none for one that reorders nothing, and ``depth`` then null."""

    model: str
    first_stage: str
    depth: int | None


class Systems:
    """The rankers, retrievers and test sets of a table, by name."""

    def __init__(self, rankers: Iterable[Path], retrievers: Iterable[Path], testsets: Iterable[Path]) -> None:
        """Read the entity files.

        Args:
            rankers: of the rankers, and of those that they start from.
            retrievers: of the first stages.
            testsets: of the test sets.
        """
        self.rankers: dict[str, Any] = {path.stem: load(RankerSpec, path) for path in rankers}
        self.retrievers: dict[str, Any] = {path.stem: load(RetrieverSpec, path) for path in retrievers}
        self.testsets: dict[str, TestsetSpec] = {path.stem: load(TestsetSpec, path) for path in testsets}

    def is_ranker(self, system: str) -> bool:
        """Tell whether a system is a ranker, alone or fused (``RANKER+RETRIEVER``), and not a first stage."""
        return _alone(system) in self.rankers

    def describe(self, system: str, testset: str) -> Described:
        """Return what a system is on a test set.

        Raises:
            DataError: no entity file of that name was given.
        """
        if self.is_ranker(system):
            spec = self.rankers[_alone(system)]
            first_stage, depth = self.testsets[testset].reranked(spec.rerank) or (NONE, None)
            return Described(self._base(_alone(system)), first_stage, depth)
        if system not in self.retrievers:
            names = known([*self.rankers, *self.retrievers])
            raise DataError(f"results/metrics: {system!r} is neither a ranker nor a first stage of the table ({names})")
        spec = self.retrievers[system]
        model = spec.llm if isinstance(spec, Ordered) else getattr(spec, "model", "")
        return Described(model, NONE, None)

    def _base(self, ranker: str) -> str:
        """Return the pretrained model that a ranker goes back to, through the rankers that it starts from."""
        base = self.rankers[ranker].base
        return base.model or self._base(base.ranker)


def _alone(system: str) -> str:
    return system.split("+", 1)[0]
