"""Rank every test set of a suite with one ranker, alone and fused with its first stage."""

from synthrank.cli import run
from synthrank.runs.rank_suite import rank_suite

run(rank_suite)
