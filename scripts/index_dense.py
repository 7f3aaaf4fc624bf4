"""Index the vectors of one collection for a dense retriever."""

from synthrank.cli import run
from synthrank.runs.index_dense import index_dense

run(index_dense)
