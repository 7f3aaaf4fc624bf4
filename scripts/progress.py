"""Show the progress of the last run of the workflow."""

from synthrank.cli import command
from synthrank.workflow.monitor.command import main

command(main)
