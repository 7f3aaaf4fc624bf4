"""Step search_bm25: a BM25 run of one set of queries over one collection."""

from pathlib import Path

from synthrank.files import read_jsonl
from synthrank.records import Query
from synthrank.retrievers.bm25 import search
from synthrank.specs.base import load
from synthrank.specs.retrievers import Bm25, RetrieverSpec
from synthrank.trec import write_run


def search_bm25(*, spec: Path, index: Path, queries: Path, run: Path, threads: int = 1) -> None:
    """Search every query.

    Args:
        spec: the retriever's entity file.
        index: the folder that index_bm25 made.
        queries: the queries.
        run: written: the run.
        threads: how many Anserini uses.
    """
    settings: Bm25 = load(RetrieverSpec, spec)
    write_run(run, search(index, list(read_jsonl(queries, Query)), settings, threads), spec.stem)
