"""Pair queries that were made from passages with these passages, as positives."""

from synthrank.cli import run
from synthrank.passages.pair_queries import pair_queries

run(pair_queries)
