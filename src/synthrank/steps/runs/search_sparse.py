"""Step search_sparse: search a corpus with a learned sparse retriever."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.retrievers import RetrieverSpec, Sparse
from synthrank.data.files import read_jsonl
from synthrank.data.records import Query
from synthrank.retrievers.sparse import ImpactEncoder, search
from synthrank.steps.runs.run_files import write_lists


def search_sparse(*, spec: Path, model: Path, index: Path, queries: Path, run: Path, threads: int = 1) -> None:
    """Search for every query; the run lacks queries that share no term with any passage.

    Args:
        spec: the retriever's entity file.
        model: the folder of the model that encodes queries.
        index: the folder that index_sparse wrote.
        queries: the queries.
        run: the run to write.
        threads: the number of threads of Anserini.
    """
    settings: Sparse = load(RetrieverSpec, spec)
    wanted = list(read_jsonl(queries, Query))
    found = search(index, wanted, ImpactEncoder(settings, model), settings.depth, threads)
    write_lists(run, found, wanted, spec.stem)
