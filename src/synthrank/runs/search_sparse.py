"""Step search_sparse: a learned sparse run of one set of queries over one collection."""

from pathlib import Path

from synthrank.files import read_jsonl
from synthrank.records import Query
from synthrank.retrievers.sparse import ImpactEncoder, search
from synthrank.runs.lists import write_lists
from synthrank.specs.base import load
from synthrank.specs.retrievers import RetrieverSpec, Sparse


def search_sparse(*, spec: Path, model: Path, index: Path, queries: Path, run: Path, threads: int = 1) -> None:
    """Search every query; one that shares no term with any passage has no list.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes queries.
        index: the folder that index_sparse made.
        queries: the queries.
        run: written: the run.
        threads: how many Anserini uses.
    """
    settings: Sparse = load(RetrieverSpec, spec)
    asked = list(read_jsonl(queries, Query))
    found = search(index, asked, ImpactEncoder(settings, model), settings.depth, threads)
    write_lists(run, found, asked, spec.stem)
