"""Run one set of queries over one collection with a learned sparse retriever."""

from synthrank.cli import run
from synthrank.runs.search_sparse import search_sparse

run(search_sparse)
