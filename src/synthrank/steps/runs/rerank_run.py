"""Step rerank_run: reorder the top of a first stage's run with a pointwise reranker, for a shard of the queries."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.rankers import RankerSpec, Reranker
from synthrank.config.retrievers import Reranked, RetrieverSpec
from synthrank.data.files import read_jsonl
from synthrank.data.records import Query
from synthrank.data.shards import Shard
from synthrank.data.trec import read_run, write_run
from synthrank.rankers import open_ranker
from synthrank.rankers.base import Collection


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
    """Reorder the first ``depth`` candidates of a shard of the queries; deeper passages are dropped.

    The depth is in the retriever's file; the depth in the ranker's file is for test sets.

    Args:
        spec: the retriever's entity file.
        ranker: the entity file of its ranker.
        checkpoint: the folder of the model.
        passages: the passages of the corpus.
        queries: the queries of all shards.
        first_stage: the run to reorder.
        shard: the shard of the queries that have a ranking, such as ``2-of-4``.
        run: the run of the shard to write.
    """
    settings: Reranked = load(RetrieverSpec, spec)
    reranker: Reranker = load(RankerSpec, ranker)
    part = Shard.parse(shard)
    as_stated = reranker.model_copy(update={"rerank": reranker.rerank.model_copy(update={"depth": settings.depth})})
    ordered = tuple(read_jsonl(queries, Query))
    model = open_ranker(as_stated, checkpoint, settings.seed)
    found = model.rank(Collection(ordered, passages, read_run(first_stage, settings.depth), shard=part))
    write_run(run, found, spec.stem)
