"""Step rerank_suite: a shard of every test set of a suite in a ranker's order, and its fusion with the first stage."""

from dataclasses import replace
from pathlib import Path

from synthrank.errors import ConfigError
from synthrank.files import atomic_path
from synthrank.fusion import reciprocal_rank_fusion
from synthrank.rankers import open_ranker
from synthrank.rankers.base import Collection
from synthrank.rankers.development import open_development
from synthrank.runs.suites import DEVELOPMENT, reordered
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
    development: list[Path],
    shard: str,
    lists: Path,
) -> None:
    """Reorder a shard of every test set's lists with the model loaded once.

    What is reordered is the top of a first stage, the test set's where that names one, else the ranker's own. Each
    list is fused with the whole list of the first stage by reciprocal rank fusion, which asks for no other query's. A
    ranker that mixes its score with the first stage's reorders its development split too, and is mixed when the shards
    are concatenated.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file, with ``rerank``.
        seed: draws a head that an untrained model lacks.
        testsets: the test sets' entity files.
        passages: for each test set its collection.
        queries: for each test set its queries.
        first_stages: for each test set the run to reorder.
        development: what the weight of ``rerank.mix`` is chosen on: queries, qrels, passages and the run that is
            reordered; empty without it.
        shard: which shard of the queries that have a list, such as ``2-of-4``.
        lists: written: a folder with ``TESTSET.trec`` for each test set, and ``TESTSET+RETRIEVER.trec`` or, if scores
            are mixed, the lists of the development split.

    Raises:
        ConfigError: the ranker searches.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    if spec.rerank is None:
        raise ConfigError(f"{ranker}: rerank: is missing; a ranker without it searches, it reorders nothing")
    part = Shard.parse(shard)
    model = open_ranker(spec, checkpoint, seed)
    tests = reordered(spec.rerank, testsets, queries, first_stages, whole=True)
    with atomic_path(lists) as folder:
        folder.mkdir()
        for test, corpus in zip(tests, passages, strict=True):
            given = Collection(test.queries, corpus, test.first_stage, test.depth, part, passages_as=test.passages_as)
            run = model.rank(given)
            write_run(folder / f"{test.run}.trec", run, ranker.stem)
            if spec.rerank.mix is None:
                first_stage = {query: test.first_stage[query] for query in run}
                fused = reciprocal_rank_fusion([run, first_stage], spec.rerank.fusion_k)
                write_run(folder / f"{test.fused}.trec", fused, f"{ranker.stem}+{test.retriever}")
        if spec.rerank.mix:
            run = model.rank(replace(open_development(*development).collection, shard=part))
            write_run(folder / DEVELOPMENT, run, ranker.stem)
