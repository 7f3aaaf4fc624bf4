"""Concatenate the shards of a reranked run."""

from synthrank.cli import run
from synthrank.runs.gather_run import gather_run

run(gather_run)
