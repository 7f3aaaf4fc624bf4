"""Make the table of one ablation of the distillation study."""

from synthrank.cli import run
from synthrank.tables.make_ablation_table import make_ablation_table

run(make_ablation_table)
