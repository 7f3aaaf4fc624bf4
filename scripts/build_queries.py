"""Normalise the queries and qrels of one split of one corpus."""

from synthrank.cli import run
from synthrank.corpora.build_queries import build_queries

run(build_queries)
