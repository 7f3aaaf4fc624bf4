"""Index the impacts of one collection for a learned sparse retriever."""

from synthrank.cli import run
from synthrank.runs.index_sparse import index_sparse

run(index_sparse)
