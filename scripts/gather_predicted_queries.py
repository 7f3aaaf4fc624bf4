"""Concatenate the predicted queries of all shards."""

from synthrank.cli import run
from synthrank.queries.gather_predicted_queries import gather_predicted_queries

run(gather_predicted_queries)
