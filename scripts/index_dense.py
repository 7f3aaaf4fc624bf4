"""Encode and index one collection with a dense retriever."""

from synthrank.cli import run
from synthrank.runs.index_dense import index_dense

run(index_dense)
