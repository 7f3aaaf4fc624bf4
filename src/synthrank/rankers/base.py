"""Interface of rankers, and inputs and outputs of a training."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from synthrank.data.records import Group, Query
from synthrank.data.shards import Shard
from synthrank.data.trec import Run

WHOLE = Shard(1, 1)
"""The only shard of a job that is not divided."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Input of a reranker: queries, the file of passages, and the run of a first stage.

    ``depth`` is the number of passages per query that are reordered, by default the number in the ranker's file.
    ``shard`` selects a part of the queries with candidates, by default all. ``passages_as`` selects the prefix that a
    bi-encoder puts before passages.
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
        """Return the run of a shard of the collection's queries, with the best passage of each query first."""


@dataclass(frozen=True, slots=True)
class Training:
    """Inputs of a training.

    ``base`` is the folder of the model to start from, ``groups`` the training set. ``seed`` determines a new head, the
    order of the data and the dropout. Every ``optimiser.save_every`` updates, the trainer writes its state into the
    folder ``state``, and a killed training resumes from the last state. The model at each point of ``selection`` is
    written into the folder ``points`` as ``update-N``. If a folder is ``None``, nothing is written.
    """

    base: Path
    groups: Sequence[Group]
    seed: int
    state: Path | None = None
    points: Path | None = None


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """Measurements of a training.

    ``losses`` contains (update, loss) pairs. ``pairs`` counts the query-passage pairs of the training set, and
    ``pairs_cut`` the pairs that were truncated to the model's length. ``peak_memory_mb`` is the memory of the GPU, or
    of the process on a CPU. ``resumed_at`` is the update at which a killed training resumed. ``rows_masked`` counts the
    rows since that update in which an in-batch negative was masked because it is relevant to the row's query.
    """

    losses: tuple[tuple[int, float], ...]
    updates: int
    pairs: int = 0
    pairs_cut: int = 0
    seconds_per_update: float = 0.0
    peak_memory_mb: float = 0.0
    resumed_at: int = 0
    rows_masked: int = 0
