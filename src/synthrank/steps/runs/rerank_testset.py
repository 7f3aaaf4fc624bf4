"""Step rerank_testset: rerank a test set, and fuse the result with the first stage."""

import json
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.rankers import RankerSpec
from synthrank.config.testsets import TestsetSpec
from synthrank.data.fusion import reciprocal_rank_fusion, weighted_fusion
from synthrank.data.shards import Shard
from synthrank.data.trec import write_run
from synthrank.rankers import open_ranker
from synthrank.rankers.base import Collection
from synthrank.steps.runs.testsets import read_reordered, read_rerank


def rerank_testset(
    *,
    checkpoint: Path,
    ranker: Path,
    seed: int,
    testset: Path,
    passages: Path,
    queries: Path,
    first_stage: Path,
    weight: list[Path],
    shard: str,
    run: Path,
    fused: Path,
) -> None:
    """Rerank the queries of a test set, or a shard of them.

    The ranker reorders the top of the first stage that the test set names, or that the ranker names. Each ranking is
    fused with the whole ranking of the first stage by reciprocal ranks, or by weighted scores if the ranker mixes
    scores. Queries do not affect each other.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file, with ``rerank``.
        seed: initialises the head of a model without one.
        testset: the test set's entity file.
        passages: the passages of its corpus.
        queries: its queries, of all shards.
        first_stage: the run to reorder.
        weight: the file that choose_weight wrote, if the ranker mixes scores; otherwise empty.
        shard: the shard of the queries that have a ranking, such as ``2-of-4``.
        run: the ranker's run to write, in the order of the queries.
        fused: the fused run to write, with the same queries in the same order.

    Raises:
        ConfigError: the ranker is not a reranker.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    rerank = read_rerank(ranker, spec)
    settings: TestsetSpec = load(TestsetSpec, testset)
    part = Shard.parse(shard)
    model = open_ranker(spec, checkpoint, seed)
    given = read_reordered(rerank, settings, queries, first_stage)
    found = model.rank(
        Collection(given.queries, passages, given.first_stage, given.depth, part, passages_as=settings.passages_as)
    )
    listed = {query: given.first_stage[query] for query in found}
    if weight:
        (chosen,) = weight
        mixed = weighted_fusion(found, listed, json.loads(chosen.read_text(encoding="utf-8"))["weight"])
    else:
        mixed = reciprocal_rank_fusion([found, listed], rerank.fusion_k)
    write_run(run, found, ranker.stem)
    write_run(fused, {query: mixed[query] for query in found}, f"{ranker.stem}+{given.retriever}")
