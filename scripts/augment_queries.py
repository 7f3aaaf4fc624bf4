"""Make queries from the passages of one corpus."""

from synthrank.cli import run
from synthrank.queries.augment_queries import augment_queries

run(augment_queries)
