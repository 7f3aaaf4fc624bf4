"""Make the table of what more training queries change."""

from synthrank.cli import run
from synthrank.tables.make_sizes_table import make_sizes_table

run(make_sizes_table)
