"""Print the power of an experiment's claims, and its requests to language models with their cost."""

from synthrank.cli import command
from synthrank.workflow.plan.command import main

command(main)
