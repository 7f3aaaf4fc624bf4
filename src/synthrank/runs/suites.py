"""What steps share that rank test sets: who searches, which lists are reordered, and runs concatenated."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from synthrank.errors import ConfigError
from synthrank.files import read_jsonl
from synthrank.rankers.candidates import Lists, lists_of
from synthrank.records import Query
from synthrank.shards import check_shards
from synthrank.specs.base import load
from synthrank.specs.rankers import BiEncoderRanker, RankerSpec, Rerank
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import Run, read_run

DEVELOPMENT = "development/run.trec"
"""In a shard of a suite: the ranker's lists of the split that the weight of its score is chosen on."""


@dataclass(frozen=True, slots=True)
class Reordered:
    """A test set, its queries, and the run that a ranker reorders there: the retriever's, and how much of it.

    ``run`` is what the ranker's run is called, ``fused`` its fusion with the first stage, both without the ending;
    ``passages_as`` is the test set's.
    """

    queries: tuple[Query, ...]
    first_stage: Run
    depth: int
    run: str
    fused: str
    retriever: str
    passages_as: Literal["passages", "queries"]

    @property
    def lists(self) -> Lists:
        """The queries that have a list."""
        return lists_of(self.queries, self.first_stage, self.depth)


def reordered(
    rerank: Rerank, testsets: list[Path], queries: list[Path], first_stages: list[Path], *, whole: bool
) -> Iterator[Reordered]:
    """Yield each test set of a suite as a ranker reorders it, without what the test set drops.

    Args:
        rerank: what the ranker reorders where a test set does not say otherwise.
        testsets: the test sets' entity files.
        queries: for each test set its queries.
        first_stages: for each test set the run to reorder.
        whole: whether the lists are read whole, as for fusion, or no more of them than is reordered.
    """
    for testset, asked, first in zip(testsets, queries, first_stages, strict=True):
        settings: TestsetSpec = load(TestsetSpec, testset)
        name, depth = settings.reranked(rerank) or ("", 0)
        read = read_run(first, None if whole else depth + settings.drop_identical_ids)
        yield Reordered(
            queries=tuple(read_jsonl(asked, Query)),
            first_stage=without_own(read, settings),
            depth=depth,
            run=testset.stem,
            fused=f"{testset.stem}+{name}",
            retriever=name,
            passages_as=settings.passages_as,
        )


def searcher(ranker: Path) -> BiEncoderRanker:
    """Return a ranker that searches.

    Args:
        ranker: its entity file.

    Raises:
        ConfigError: it is no bi-encoder.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    if not isinstance(spec, BiEncoderRanker):
        raise ConfigError(f"{ranker}: architecture: got {spec.architecture!r}; a bi-encoder alone searches")
    return spec


def without_own(run: Run, testset: TestsetSpec) -> Run:
    """Return the run without the passage that is the query itself, where the test set asks for that."""
    if not testset.drop_identical_ids:
        return run
    return {query: [pair for pair in ranked if pair[0] != query] for query, ranked in run.items()}


def concatenated(shards: Sequence[Path], lists: Lists) -> Run:
    """Return a run out of its shards.

    Args:
        shards: the runs of all shards, from the first on.
        lists: what the shards were taken of.

    Raises:
        ShardError: a shard has another number of lists than it should.
    """
    runs = [read_run(path) for path in shards]
    found = [(path, len(run)) for path, run in zip(shards, runs, strict=True)]
    check_shards(found, len(lists.queries), lists.together)
    return {query: ranked for run in runs for query, ranked in run.items()}
