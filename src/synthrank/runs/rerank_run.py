"""Step rerank_run: a shard of the top of a first stage's run in the order of a pointwise reranker."""

from pathlib import Path

from synthrank.files import read_jsonl
from synthrank.rankers import open_ranker
from synthrank.rankers.base import Collection
from synthrank.records import Query
from synthrank.shards import Shard
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec, Reranker
from synthrank.specs.retrievers import Reranked, RetrieverSpec
from synthrank.trec import read_run, write_run


def rerank_run(
    *,
    spec: Path,
    ranker: Path,
    checkpoint: Path,
    passages: Path,
    queries: Path,
    first_stage: Path,
    shard: str,
    run: Path,
) -> None:
    """Reorder the first ``depth`` candidates of a shard of the queries; what is below them is in no list.

    The depth is the retriever's: the ranker's own says what it reorders on test sets.

    Args:
        spec: the retriever's entity file.
        ranker: the entity file of its ranker.
        checkpoint: the folder of the model.
        passages: the collection.
        queries: the queries, of all shards.
        first_stage: the run to reorder.
        shard: which shard of the queries that have a list, such as ``2-of-4``.
        run: written: the run of the shard.
    """
    settings: Reranked = load(RetrieverSpec, spec)
    reranker: Reranker = load(RankerSpec, ranker)
    part = Shard.parse(shard)
    as_stated = reranker.model_copy(update={"rerank": reranker.rerank.model_copy(update={"depth": settings.depth})})
    asked = tuple(read_jsonl(queries, Query))
    model = open_ranker(as_stated, checkpoint, settings.seed)
    found = model.rank(Collection(asked, passages, read_run(first_stage, settings.depth), shard=part))
    write_run(run, found, spec.stem)
