"""Search every collection of a suite among the vectors of one bi-encoder."""

from synthrank.cli import run
from synthrank.runs.search_suite import search_suite

run(search_suite)
