"""Step concatenate_run: concatenate the shards of a reranked run."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.retrievers import Reranked, RetrieverSpec
from synthrank.data.files import read_jsonl
from synthrank.data.records import Query
from synthrank.data.trec import read_run
from synthrank.rankers.candidates import lists_of
from synthrank.steps.runs.run_files import write_lists
from synthrank.steps.runs.testsets import concatenate


def concatenate_run(*, spec: Path, queries: Path, first_stage: Path, shards: list[Path], run: Path) -> None:
    """Concatenate the shards of a run, and check their lengths.

    Args:
        spec: the retriever's entity file.
        queries: the queries.
        first_stage: the run that was reordered.
        shards: the runs that rerank_run wrote, in the order of the shards.
        run: the run to write.

    Raises:
        ShardError: a shard has an unexpected number of rankings.
    """
    settings: Reranked = load(RetrieverSpec, spec)
    ordered = list(read_jsonl(queries, Query))
    lists = lists_of(ordered, read_run(first_stage, settings.depth), settings.depth)
    write_lists(run, concatenate(shards, lists), ordered, spec.stem)
