"""Reorder a shard of every test set of a suite with one ranker."""

from synthrank.cli import run
from synthrank.runs.rerank_suite import rerank_suite

run(rerank_suite)
