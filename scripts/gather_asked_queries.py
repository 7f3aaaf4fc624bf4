"""Concatenate the replies of all shards and read them as queries."""

from synthrank.cli import run
from synthrank.queries.gather_asked_queries import gather_asked_queries

run(gather_asked_queries)
