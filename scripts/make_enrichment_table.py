"""Make the table of what synthetic passages add to human ones."""

from synthrank.cli import run
from synthrank.tables.make_enrichment_table import make_enrichment_table

run(make_enrichment_table)
