"""Sample the passages that a model is to write queries for."""

from synthrank.cli import run
from synthrank.queries.sample_passages import sample_passages

run(sample_passages)
