"""Print the main tables of two experiments side by side."""

from synthrank.cli import command
from synthrank.steps.tables.compare import main

command(main)
