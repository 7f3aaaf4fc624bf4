"""Make the table of what the study claims, tested as one family."""

from synthrank.cli import run
from synthrank.tables.make_claims_table import make_claims_table

run(make_claims_table)
