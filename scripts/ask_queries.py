"""Ask a language model for queries to a shard of the sampled passages."""

from synthrank.cli import run
from synthrank.queries.ask_queries import ask_queries

run(ask_queries)
