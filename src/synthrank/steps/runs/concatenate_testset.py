"""Step concatenate_testset: concatenate the shards of a reranker's runs on a test set."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.rankers import RankerSpec
from synthrank.config.testsets import TestsetSpec
from synthrank.data.trec import write_run
from synthrank.steps.runs.testsets import concatenate, read_reordered, read_rerank


def concatenate_testset(
    *,
    ranker: Path,
    testset: Path,
    queries: Path,
    first_stage: Path,
    shards: list[Path],
    fused_shards: list[Path],
    run: Path,
    fused: Path,
) -> None:
    """Concatenate the shards of both runs, and check their lengths.

    Args:
        ranker: the ranker's entity file, with ``rerank``.
        testset: the test set's entity file.
        queries: the queries of the test set.
        first_stage: the run that was reordered.
        shards: the ranker's runs that rerank_testset wrote, in the order of the shards.
        fused_shards: the fused runs that rerank_testset wrote, in the order of the shards.
        run: the ranker's run to write.
        fused: the fused run to write.

    Raises:
        ConfigError: the ranker is not a reranker.
        ShardError: a shard has an unexpected number of rankings.
    """
    rerank = read_rerank(ranker, load(RankerSpec, ranker))
    settings: TestsetSpec = load(TestsetSpec, testset)
    given = read_reordered(rerank, settings, queries, first_stage)
    write_run(run, concatenate(shards, given.lists), ranker.stem)
    write_run(fused, concatenate(fused_shards, given.lists), f"{ranker.stem}+{given.retriever}")
