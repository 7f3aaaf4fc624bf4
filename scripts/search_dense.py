"""Run one set of queries over one collection with a dense retriever."""

from synthrank.cli import run
from synthrank.runs.search_dense import search_dense

run(search_dense)
