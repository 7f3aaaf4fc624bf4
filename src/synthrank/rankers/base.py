"""What every ranker is, and what training one leaves behind."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from synthrank.records import Query
from synthrank.trec import Run


@dataclass(frozen=True, slots=True)
class Collection:
    """What is ranked: queries, the file of passages, and the run to reorder (none for what searches).

    ``depth`` says how much of each list is reordered; none leaves it to the ranker's own file.
    """

    queries: tuple[Query, ...]
    passages: Path
    first_stage: Run | None
    depth: int | None = None


class Ranker(Protocol):
    """A model that orders passages."""

    def rank(self, collection: Collection) -> Run:
        """Return a run of the collection's queries, each list best first."""


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """What a training was: (update, loss) pairs, updates, and what was measured.

    ``pairs`` counts the query-passage pairs of the training set, ``pairs_cut`` those of them that exceeded the model's
    length and lost an end; ``peak_memory_mb`` is the device's, or on a CPU the process's; ``resumed_at`` is the update
    from which a killed training was taken up.
    """

    losses: tuple[tuple[int, float], ...]
    updates: int
    pairs: int = 0
    pairs_cut: int = 0
    seconds_per_update: float = 0.0
    peak_memory_mb: float = 0.0
    resumed_at: int = 0
