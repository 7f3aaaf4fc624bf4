"""Measure what the positives of a training set, or the passages of a paradigm, are like."""

from synthrank.cli import run
from synthrank.validity.measure_passages import measure_passages

run(measure_passages)
