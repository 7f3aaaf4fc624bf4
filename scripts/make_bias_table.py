"""Make the table of whether rankers prefer passages that a language model rewrote."""

from synthrank.cli import run
from synthrank.tables.make_bias_table import make_bias_table

run(make_bias_table)
