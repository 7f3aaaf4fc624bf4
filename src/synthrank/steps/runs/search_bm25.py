"""Step search_bm25: search a corpus with BM25."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.retrievers import Bm25, RetrieverSpec
from synthrank.data.files import read_jsonl
from synthrank.data.records import Query
from synthrank.retrievers.bm25 import search
from synthrank.steps.runs.run_files import write_lists


def search_bm25(*, spec: Path, index: Path, queries: Path, run: Path, threads: int = 1) -> None:
    """Search for every query; the run lacks queries without a hit.

    Args:
        spec: the retriever's entity file.
        index: the folder that index_bm25 wrote.
        queries: the queries.
        run: the run to write.
        threads: the number of threads of Anserini.
    """
    settings: Bm25 = load(RetrieverSpec, spec)
    wanted = list(read_jsonl(queries, Query))
    write_lists(run, search(index, wanted, settings, threads), wanted, spec.stem)
