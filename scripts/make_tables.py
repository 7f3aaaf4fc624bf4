"""Make the in-distribution and the out-of-distribution table."""

from synthrank.cli import run
from synthrank.tables.make_tables import make_tables

run(make_tables)
