"""Run one set of queries over one collection by BM25."""

from synthrank.cli import run
from synthrank.runs.search_bm25 import search_bm25

run(search_bm25)
