"""Reorder a shard of the top of a first stage's run with a pointwise reranker."""

from synthrank.cli import run
from synthrank.runs.rerank_run import rerank_run

run(rerank_run)
