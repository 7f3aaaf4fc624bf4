"""Measure a first stage's run on one test set, per query."""

from synthrank.cli import run
from synthrank.metrics.score_first_stage import score_first_stage

run(score_first_stage)
