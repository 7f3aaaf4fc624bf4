"""Cancel the SLURM jobs that a killed run left."""

from synthrank.cli import command
from synthrank.workflow.recovery.command import main

command(main)
