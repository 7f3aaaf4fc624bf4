"""Measure a ranker's runs on mixed corpora, human and rewritten passages apart."""

from synthrank.cli import run
from synthrank.metrics.score_bias import score_bias

run(score_bias)
