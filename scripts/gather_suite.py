"""Lay the shares of a ranker's runs on a suite end to end."""

from synthrank.cli import run
from synthrank.runs.gather_suite import gather_suite

run(gather_suite)
