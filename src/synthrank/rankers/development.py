"""Development splits, on which learning rate, training duration and fusion weight are selected."""

from dataclasses import dataclass
from pathlib import Path

from synthrank.data.files import read_jsonl
from synthrank.data.paths import SPLIT
from synthrank.data.records import Query
from synthrank.data.sampling import sample
from synthrank.data.trec import Qrels, read_qrels, read_run
from synthrank.errors import BudgetError
from synthrank.rankers.base import Collection


@dataclass(frozen=True, slots=True)
class Development:
    """The judged queries of a development split and the run of a first stage; ``name`` is ``CORPUS/SPLIT``."""

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
        queries: the queries of the split, in ``corpora/CORPUS/SPLIT/``.
        qrels: the qrels of the split.
        passages: the passages of the corpus.
        run: the first stage's run of the split.
        depth: passages per query to read from the run; by default all.
        most: maximum number of queries, a random sample; by default all.
        seed: seed of the sample.

    Raises:
        BudgetError: no query of the split is judged.
    """
    judgments = read_qrels(qrels)
    judged = [query for query in read_jsonl(queries, Query) if query.id in judgments]
    if not judged:
        raise BudgetError(f"{qrels}: no query of {queries} is judged; expected at least one judged query")
    sampled = tuple(sample(judged, most or len(judged), seed, lambda query: query.id))
    rankings = read_run(run, depth)
    return Development(
        "{corpus}/{split}".format_map(SPLIT.names(queries.parent)),
        {query.id: judgments[query.id] for query in sampled},
        Collection(sampled, passages, {query.id: rankings[query.id] for query in sampled if query.id in rankings}),
    )
