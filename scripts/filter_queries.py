"""Keep the queries that pass an augmentation's filters."""

from synthrank.cli import run
from synthrank.queries.filter_queries import filter_queries

run(filter_queries)
