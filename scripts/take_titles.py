"""Take titles of passages as queries."""

from synthrank.cli import run
from synthrank.queries.take_titles import take_titles

run(take_titles)
