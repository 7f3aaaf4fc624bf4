"""Step rerank_suite: a share of every test set of a suite in a ranker's order, and its fusion with the first stage."""

import json
from pathlib import Path

from synthrank.errors import ConfigError
from synthrank.files import atomic_path
from synthrank.fusion import reciprocal_rank_fusion, weighted_fusion
from synthrank.rankers import open_ranker
from synthrank.rankers.base import Collection
from synthrank.runs.suites import reordered
from synthrank.shards import Shard
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec
from synthrank.trec import write_run


def rerank_suite(
    *,
    checkpoint: Path,
    ranker: Path,
    seed: int,
    testsets: list[Path],
    passages: list[Path],
    queries: list[Path],
    first_stages: list[Path],
    weight: list[Path],
    shard: str,
    lists: Path,
) -> None:
    """Reorder a share of every test set's lists with the model loaded once.

    What is reordered is the top of a first stage, the test set's where that names one, else the ranker's own. Each
    list is fused with the whole list of the first stage, by reciprocal ranks or by weighted scores; neither asks for
    another query's list.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file, with ``rerank``.
        seed: draws a head that an untrained model lacks.
        testsets: the test sets' entity files.
        passages: for each test set its collection.
        queries: for each test set its queries.
        first_stages: for each test set the run to reorder.
        weight: what ``choose_weight`` wrote, if the ranker states ``rerank.mix``; else empty.
        shard: the share of the queries that have a list, such as ``2-of-4``.
        lists: written: a folder with ``TESTSET.trec`` and ``TESTSET+RETRIEVER.trec`` for each test set.

    Raises:
        ConfigError: the ranker searches.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    if spec.rerank is None:
        raise ConfigError(f"{ranker}: rerank: is missing; a ranker without it searches, it reorders nothing")
    share = Shard.parse(shard)
    chosen = json.loads(weight[0].read_text(encoding="utf-8"))["weight"] if weight else None
    model = open_ranker(spec, checkpoint, seed)
    tests = reordered(spec.rerank, testsets, queries, first_stages, whole=True)
    with atomic_path(lists) as folder:
        folder.mkdir()
        for test, corpus in zip(tests, passages, strict=True):
            given = Collection(test.queries, corpus, test.first_stage, test.depth, share, passages_as=test.passages_as)
            run = model.rank(given)
            write_run(folder / f"{test.run}.trec", run, ranker.stem)
            first_stage = {query: test.first_stage[query] for query in run}
            if chosen is None:
                fused = reciprocal_rank_fusion([run, first_stage], spec.rerank.fusion_k)
            else:
                fused = weighted_fusion(run, first_stage, chosen)
            write_run(folder / f"{test.fused}.trec", fused, f"{ranker.stem}+{test.retriever}")
