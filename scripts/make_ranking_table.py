"""Make the table of what language models were asked to rank, what came back, and what it cost."""

from synthrank.cli import run
from synthrank.tables.make_ranking_table import make_ranking_table

run(make_ranking_table)
