"""Make the tables of what training sets are like, and of what test sets hold too."""

from synthrank.cli import run
from synthrank.tables.make_validity_table import make_validity_table

run(make_validity_table)
