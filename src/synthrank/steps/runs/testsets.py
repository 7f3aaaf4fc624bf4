"""Shared parts of the steps that rank a test set: settings of retrievers and rerankers, and concatenation of runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.rankers import BiEncoderRanker, RankerSpec, Rerank
from synthrank.config.testsets import TestsetSpec
from synthrank.data.files import read_jsonl
from synthrank.data.records import Query
from synthrank.data.shards import check_shards
from synthrank.data.trec import Run, read_run
from synthrank.errors import ConfigError
from synthrank.rankers.candidates import CandidateLists, lists_of


@dataclass(frozen=True, slots=True)
class Reordered:
    """The input of a reranker on a test set: queries, the run of ``retriever``, and the depth to reorder."""

    queries: tuple[Query, ...]
    first_stage: Run
    retriever: str
    depth: int

    @property
    def lists(self) -> CandidateLists:
        """The queries that have a ranking, with their candidates."""
        return lists_of(self.queries, self.first_stage, self.depth)


def read_reordered(rerank: Rerank, testset: TestsetSpec, queries: Path, first_stage: Path) -> Reordered:
    """Return the input of a reranker on a test set, without passages that the test set drops.

    Args:
        rerank: the ranker's first stage and depth; the test set may override them.
        testset: the test set.
        queries: its queries.
        first_stage: the run to reorder.
    """
    retriever, depth = testset.reranked(rerank) or ("", 0)
    run = drop_own_ids(read_run(first_stage), testset)
    return Reordered(tuple(read_jsonl(queries, Query)), run, retriever, depth)


def read_rerank(ranker: Path, spec: RankerSpec) -> Rerank:
    """Return the ``rerank`` section of a reranker.

    Args:
        ranker: its entity file, for error messages.
        spec: the ranker.

    Raises:
        ConfigError: the ranker has no ``rerank`` section.
    """
    rerank: Rerank | None = spec.rerank
    if rerank is None:
        raise ConfigError(f"{ranker}: rerank is missing; only a ranker with rerank can reorder a run")
    return rerank


def read_searcher(ranker: Path) -> BiEncoderRanker:
    """Return a bi-encoder that searches.

    Args:
        ranker: its entity file.

    Raises:
        ConfigError: the ranker is not a bi-encoder.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    if not isinstance(spec, BiEncoderRanker):
        raise ConfigError(f"{ranker}: architecture: got {spec.architecture!r}; only a bi-encoder can search")
    return spec


def drop_own_ids(run: Run, testset: TestsetSpec) -> Run:
    """Return the run without passages that have the query's id, if the test set drops them."""
    if not testset.drop_identical_ids:
        return run
    return {query: [pair for pair in ranked if pair[0] != query] for query, ranked in run.items()}


def concatenate(shards: Sequence[Path], lists: CandidateLists) -> Run:
    """Return the concatenated shards of a run.

    Args:
        shards: the runs of all shards, in their order.
        lists: the candidate lists that were sharded.

    Raises:
        ShardError: a shard has an unexpected number of rankings.
    """
    runs = [read_run(path) for path in shards]
    found = [(path, len(run)) for path, run in zip(shards, runs, strict=True)]
    check_shards(found, len(lists.queries), lists.together)
    return {query: ranked for run in runs for query, ranked in run.items()}
