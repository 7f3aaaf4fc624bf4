"""Collect the human passages of the training queries as positives."""

from synthrank.cli import run
from synthrank.passages.collect_passages import collect_passages

run(collect_passages)
