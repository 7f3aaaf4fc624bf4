"""Step search_dense: a dense run of one set of queries over one collection."""

from pathlib import Path

from synthrank.files import read_jsonl
from synthrank.records import Query
from synthrank.retrievers.dense import open_encoder
from synthrank.retrievers.dense_index import search
from synthrank.runs.lists import write_lists
from synthrank.specs.base import load
from synthrank.specs.retrievers import Dense, RetrieverSpec


def search_dense(*, spec: Path, model: Path, index: Path, queries: Path, run: Path) -> None:
    """Search every query.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes queries.
        index: the folder that index_dense made.
        queries: the queries.
        run: written: the run.
    """
    settings: Dense = load(RetrieverSpec, spec)
    asked = list(read_jsonl(queries, Query))
    vectors = open_encoder(settings, model).queries([query.text for query in asked])
    write_lists(run, search(index, settings, vectors, asked), asked, spec.stem)
