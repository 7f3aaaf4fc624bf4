"""What every ranker is, and what training one leaves behind."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from synthrank.records import Query
from synthrank.trec import Run


@dataclass(frozen=True, slots=True)
class Collection:
    """What is ranked: queries, the file of passages, and the run to reorder (none for a bi-encoder)."""

    queries: tuple[Query, ...]
    passages: Path
    first_stage: Run | None


class Ranker(Protocol):
    """A model that orders passages."""

    def rank(self, collection: Collection) -> Run:
        """Return a run of the collection's queries, each list best first."""


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """The loss curve of a training: (update, loss) pairs, and how many updates there were."""

    losses: tuple[tuple[int, float], ...]
    updates: int
