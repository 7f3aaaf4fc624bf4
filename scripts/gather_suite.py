"""Concatenate the shards of a ranker's runs on a suite."""

from synthrank.cli import run
from synthrank.runs.gather_suite import gather_suite

run(gather_suite)
