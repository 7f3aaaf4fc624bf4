"""Take a run, or lists of a ranker, that others made as a run of one set of queries."""

from synthrank.cli import run
from synthrank.runs.import_run import import_run

run(import_run)
