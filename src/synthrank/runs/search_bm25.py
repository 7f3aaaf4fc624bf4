"""Step search_bm25: a BM25 run of one set of queries over one collection."""

from pathlib import Path

from synthrank.files import read_jsonl
from synthrank.records import Query
from synthrank.retrievers.bm25 import search
from synthrank.runs.lists import write_lists
from synthrank.specs.base import load
from synthrank.specs.retrievers import Bm25, RetrieverSpec


def search_bm25(*, spec: Path, index: Path, queries: Path, run: Path, threads: int = 1) -> None:
    """Search every query; one without a hit has no list.

    Args:
        spec: the retriever's entity file.
        index: the folder that index_bm25 made.
        queries: the queries.
        run: written: the run.
        threads: how many Anserini uses.
    """
    settings: Bm25 = load(RetrieverSpec, spec)
    asked = list(read_jsonl(queries, Query))
    write_lists(run, search(index, asked, settings, threads), asked, spec.stem)
