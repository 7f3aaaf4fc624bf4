"""Step gather_suite: a ranker's runs on every test set of a suite, out of the shards that several jobs reordered."""

from pathlib import Path

from synthrank.errors import ConfigError
from synthrank.files import atomic_path, write_json
from synthrank.fusion import weighted_fusion
from synthrank.rankers.candidates import lists_of
from synthrank.rankers.development import open_development
from synthrank.runs.mixtures import choose_weight
from synthrank.runs.suites import DEVELOPMENT, concatenated, reordered
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec
from synthrank.trec import write_run


def gather_suite(
    *,
    ranker: Path,
    testsets: list[Path],
    queries: list[Path],
    first_stages: list[Path],
    development: list[Path],
    shards: list[Path],
    runs: Path,
) -> None:
    """Concatenate the shards of each run, and check that none is short.

    If the ranker mixes its score with the first stage's, the weight is chosen here and ``weight.json`` tells of it.

    Args:
        ranker: the ranker's entity file, with ``rerank``.
        testsets: the test sets' entity files.
        queries: for each test set its queries.
        first_stages: for each test set the run that was reordered.
        development: what the weight of ``rerank.mix`` is chosen on: queries, qrels, passages and the run that is
            reordered; empty without it.
        shards: the folders that rerank_suite made, from the first shard on.
        runs: written: a folder with ``TESTSET.trec``, queries in their order, and the fused ``TESTSET+RETRIEVER.trec``,
            queries by id, for each test set.

    Raises:
        ConfigError: the ranker searches.
        ShardError: a shard has another number of lists than it should.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    if spec.rerank is None:
        raise ConfigError(f"{ranker}: rerank: is missing; a ranker without it searches, it reorders nothing")
    mix = spec.rerank.mix
    with atomic_path(runs) as folder:
        folder.mkdir()
        if mix:
            split = open_development(*development)
            lists = lists_of(split.collection.queries, split.collection.first_stage, spec.rerank.depth)
            chosen = choose_weight(mix, concatenated([shard / DEVELOPMENT for shard in shards], lists), split)
            write_json(folder / "weight.json", chosen)
        for test in reordered(spec.rerank, testsets, queries, first_stages, whole=mix is not None):
            run = concatenated([shard / f"{test.run}.trec" for shard in shards], test.lists)
            write_run(folder / f"{test.run}.trec", run, ranker.stem)
            if mix:
                fused = weighted_fusion(run, test.first_stage, chosen["weight"])
            else:
                fused = concatenated([shard / f"{test.fused}.trec" for shard in shards], test.lists)
            write_run(folder / f"{test.fused}.trec", dict(sorted(fused.items())), f"{ranker.stem}+{test.retriever}")
