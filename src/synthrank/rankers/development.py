"""The development split that choices look at: rate and duration of a training, weight of a mixture."""

from dataclasses import dataclass
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl
from synthrank.order import sample
from synthrank.rankers.base import Collection
from synthrank.records import Query
from synthrank.trec import Qrels, read_qrels, read_run


@dataclass(frozen=True, slots=True)
class Development:
    """The judged queries of a development split, and a first stage's run of them; ``name`` is ``CORPUS/SPLIT``."""

    name: str
    qrels: Qrels
    collection: Collection


def open_development(
    queries: Path,
    qrels: Path,
    passages: Path,
    run: Path,
    *,
    depth: int | None = None,
    most: int | None = None,
    seed: int = 13,
) -> Development:
    """Read a development split, or a sample of its judged queries.

    Args:
        queries: the queries of the split, in ``CORPUS/SPLIT/``.
        qrels: its qrels.
        passages: the passages of the corpus.
        run: the first stage's run of the split.
        depth: how much of each list is read; all by default.
        most: at most this many queries, the first of a seeded order; all by default.
        seed: of that order.

    Raises:
        BudgetError: no query of the split is judged.
    """
    judged = read_qrels(qrels)
    known = [query for query in read_jsonl(queries, Query) if query.id in judged]
    if not known:
        raise BudgetError(f"{qrels}: no query of {queries} is judged; nothing can be chosen on it")
    asked = tuple(sample(known, most or len(known), seed, lambda query: query.id))
    listed = read_run(run, depth)
    return Development(
        "/".join(queries.parts[-3:-1]),
        {query.id: judged[query.id] for query in asked},
        Collection(asked, passages, {query.id: listed[query.id] for query in asked if query.id in listed}),
    )
