"""Index one collection for BM25."""

from synthrank.cli import run
from synthrank.runs.index_bm25 import index_bm25

run(index_bm25)
