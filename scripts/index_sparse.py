"""Encode and index one collection with a learned sparse retriever."""

from synthrank.cli import run
from synthrank.runs.index_sparse import index_sparse

run(index_sparse)
