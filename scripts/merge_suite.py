"""Rank what all shards of a suite's collections hold for its queries."""

from synthrank.cli import run
from synthrank.runs.merge_suite import merge_suite

run(merge_suite)
