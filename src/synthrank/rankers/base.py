"""What every ranker is, and what training one leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from synthrank.records import Group, Query
from synthrank.shards import Shard
from synthrank.trec import Run

WHOLE = Shard(1, 1)
"""All of it."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What is reordered: queries, the file of passages, and a first stage's run.

    ``depth`` says how much of each list is reordered; none leaves it to the ranker's own file. ``shard`` says which
    shard of the queries that have a list; all of them unless stated. ``passages_as`` says which prefix of a bi-encoder
    stands before passages.
    """

    queries: tuple[Query, ...]
    passages: Path
    first_stage: Run
    depth: int | None = None
    shard: Shard = WHOLE
    passages_as: Literal["passages", "queries"] = "passages"


class Ranker(Protocol):
    """A model that orders the passages of a first stage."""

    def rank(self, collection: Collection) -> Run:
        """Return a run of the shard of the collection's queries, each list best first."""


@dataclass(frozen=True, slots=True)
class Training:
    """What a ranker is trained with.

    ``base`` is the folder of the model to start from, ``groups`` the training set. ``seed`` seeds a head that the base
    lacks, the order of the data and the dropout. ``state`` is a folder of states, written every
    ``optimiser.save_every`` updates, from whose last one a killed training resumes; ``points`` gets the model of each
    point of ``selection``, as ``update-N``. None keeps none.
    """

    base: Path
    groups: Sequence[Group]
    seed: int
    state: Path | None = None
    points: Path | None = None


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """What a training was: (update, loss) pairs, updates, and what was measured.

    ``pairs`` counts the query-passage pairs of the training set, ``pairs_cut`` those of them that exceeded the model's
    length and lost an end; ``peak_memory_mb`` is the device's, or on a CPU the process's; ``resumed_at`` is the update
    from which a killed training was taken up. ``rows_masked`` counts the rows, over the updates since then, of which a
    passage of the batch was left out of the loss because it is relevant to the row's query.
    """

    losses: tuple[tuple[int, float], ...]
    updates: int
    pairs: int = 0
    pairs_cut: int = 0
    seconds_per_update: float = 0.0
    peak_memory_mb: float = 0.0
    resumed_at: int = 0
    rows_masked: int = 0
