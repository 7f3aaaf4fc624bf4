"""Step search_suite: one bi-encoder's runs on every test set of a suite, by exact search among vectors on disk."""

from pathlib import Path

from synthrank.encodings import Encodings
from synthrank.errors import ConfigError
from synthrank.files import atomic_path, count_lines, read_jsonl
from synthrank.nearest import nearest
from synthrank.records import Query
from synthrank.runs.suites import without_own
from synthrank.specs.base import load
from synthrank.specs.rankers import BiEncoderRanker, RankerSpec
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import write_run


def search_suite(
    *, ranker: Path, testsets: list[Path], passages: list[Path], queries: list[Path], shards: list[Path], runs: Path
) -> None:
    """Search each collection for the queries of its test sets; its vectors are read in blocks and never held whole.

    Args:
        ranker: the ranker's entity file, without ``rerank``.
        testsets: the test sets' entity files.
        passages: for each test set its collection, which is counted.
        queries: for each test set its queries.
        shards: the folders that encode_suite made, from the first share on.
        runs: written: a folder with ``TESTSET.trec`` for each test set.

    Raises:
        ConfigError: the ranker is no bi-encoder.
        ShardError: a share has another number of vectors than it should.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    if not isinstance(spec, BiEncoderRanker):
        raise ConfigError(f"{ranker}: architecture: got {spec.architecture!r}; a bi-encoder alone gives vectors")
    with atomic_path(runs) as folder:
        folder.mkdir()
        for testset, path, asked in zip(testsets, passages, queries, strict=True):
            settings: TestsetSpec = load(TestsetSpec, testset)
            encoded = Encodings([shard / "passages" / settings.corpus for shard in shards], count_lines(path))
            listed = list(read_jsonl(asked, Query))
            given = Encodings([shard / "queries" / testset.stem for shard in shards], len(listed))
            run = nearest(encoded, given.stored(0, len(given)), listed, spec.depth)
            write_run(folder / f"{testset.stem}.trec", without_own(run, settings), ranker.stem)
