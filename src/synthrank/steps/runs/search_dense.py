"""Step search_dense: search a corpus with a dense retriever."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.retrievers import Dense, RetrieverSpec
from synthrank.data.files import read_jsonl
from synthrank.data.records import Query
from synthrank.retrievers.dense import open_encoder
from synthrank.retrievers.dense_index import search
from synthrank.steps.runs.run_files import write_lists


def search_dense(*, spec: Path, model: Path, index: Path, queries: Path, run: Path) -> None:
    """Search for every query.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes queries.
        index: the folder that index_dense wrote.
        queries: the queries.
        run: the run to write.
    """
    settings: Dense = load(RetrieverSpec, spec)
    wanted = list(read_jsonl(queries, Query))
    vectors = open_encoder(settings, model).queries([query.text for query in wanted])
    write_lists(run, search(index, settings, vectors, wanted), wanted, spec.stem)
