"""Make the distillation study's table beside published figures."""

from synthrank.cli import run
from synthrank.tables.make_distillation_table import make_distillation_table

run(make_distillation_table)
