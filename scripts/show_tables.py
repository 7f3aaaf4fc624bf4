"""Print the small tables of an experiment: training sets by rankers."""

from synthrank.cli import command
from synthrank.steps.tables.show import main

command(main)
