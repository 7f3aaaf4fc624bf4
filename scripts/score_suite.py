"""Measure a ranker's runs on every test set of a suite, per query."""

from synthrank.cli import run
from synthrank.metrics.score_suite import score_suite

run(score_suite)
