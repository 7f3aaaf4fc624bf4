"""Step gather_run: a reranked run, out of the shards that several jobs reordered."""

from pathlib import Path

from synthrank.files import read_jsonl
from synthrank.rankers.candidates import lists_of
from synthrank.records import Query
from synthrank.runs.lists import write_lists
from synthrank.runs.suites import concatenated
from synthrank.specs.base import load
from synthrank.specs.retrievers import Reranked, RetrieverSpec
from synthrank.trec import read_run


def gather_run(*, spec: Path, queries: Path, first_stage: Path, shards: list[Path], run: Path) -> None:
    """Concatenate the shards of a run, and check that none is short.

    Args:
        spec: the retriever's entity file.
        queries: the queries.
        first_stage: the run that was reordered.
        shards: the runs that rerank_run made, from the first shard on.
        run: written: the run.

    Raises:
        ShardError: a shard has another number of lists than it should.
    """
    settings: Reranked = load(RetrieverSpec, spec)
    asked = list(read_jsonl(queries, Query))
    lists = lists_of(asked, read_run(first_stage, settings.depth), settings.depth)
    write_lists(run, concatenated(shards, lists), asked, spec.stem)
