"""Lay the shares of a reranked run end to end."""

from synthrank.cli import run
from synthrank.runs.gather_run import gather_run

run(gather_run)
