"""Step merge_suite: one bi-encoder's runs on every test set of a suite, the best of what all shards hold."""

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path

from synthrank.encodings import TOGETHER
from synthrank.errors import ShardError
from synthrank.files import atomic_path, count_lines, read_jsonl
from synthrank.records import Query, ScoredList
from synthrank.runs.suites import searcher, without_own
from synthrank.shards import Shard
from synthrank.specs.base import load
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import rank, write_run


def merge_suite(
    *, ranker: Path, testsets: list[Path], passages: list[Path], queries: list[Path], shards: list[Path], runs: Path
) -> None:
    """Rank what the shards of a collection hold for each query, and check that no shard is short.

    Args:
        ranker: the ranker's entity file, without ``rerank``.
        testsets: the test sets' entity files.
        passages: for each test set its collection, which is counted.
        queries: for each test set its queries.
        shards: the folders that search_suite made, from the first shard on.
        runs: written: a folder with ``TESTSET.trec`` for each test set.

    Raises:
        ConfigError: the ranker is no bi-encoder.
        ShardError: a shard has not the list of each query in its place, or one has another length than it should.
    """
    spec = searcher(ranker)
    totals = {path: count_lines(path) for path in dict.fromkeys(passages)}
    with atomic_path(runs) as folder:
        folder.mkdir()
        for testset, path, asked in zip(testsets, passages, queries, strict=True):
            names = [query.id for query in read_jsonl(asked, Query)]
            found = [
                _lists(shard / f"{testset.stem}.jsonl", names, min(spec.depth, len(part.rows(totals[path], TOGETHER))))
                for shard, part in zip(shards, Shard.all(len(shards)), strict=True)
            ]
            parts = zip(names, *found, strict=True)
            run = {name: rank(chain.from_iterable(lists), spec.depth) for name, *lists in parts}
            write_run(folder / f"{testset.stem}.trec", without_own(run, load(TestsetSpec, testset)), ranker.stem)


def _lists(path: Path, names: Sequence[str], length: int) -> Iterator[list[tuple[str, float]]]:
    """Yield the list of each query in a shard; those of all shards together would be many times the run.

    Raises:
        ShardError: the lists are not those of the queries, or one has another length.
    """
    for name, found in zip_longest(names, read_jsonl(path, ScoredList)):
        if found is None or found.query_id != name:
            told = f"query {name} has no list in its place" if name else "there are more lists than queries"
            raise ShardError(f"{path}: {told}: delete it, run again")
        if len(found.ids) != length or len(found.scores) != length:
            told = f"query {name}: {len(found.ids):,} passages; expected {length:,}, each with a score"
            raise ShardError(f"{path}: {told}: delete it, run again")
        yield list(zip(found.ids, found.scores, strict=True))
