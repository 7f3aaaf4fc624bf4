"""Measure a first stage's run on a mixed corpus, human and rewritten passages apart."""

from synthrank.cli import run
from synthrank.metrics.score_first_stage_bias import score_first_stage_bias

run(score_first_stage_bias)
