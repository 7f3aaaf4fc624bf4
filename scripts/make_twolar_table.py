"""Make the distillation study's table beside published figures."""

from synthrank.cli import run
from synthrank.tables.make_twolar_table import make_twolar_table

run(make_twolar_table)
