"""Find what a bi-encoder finds for the queries of a suite in a shard of every collection."""

from synthrank.cli import run
from synthrank.runs.search_suite import search_suite

run(search_suite)
