"""Normalise the passages of one corpus."""

from synthrank.cli import run
from synthrank.corpora.build_passages import build_passages

run(build_passages)
