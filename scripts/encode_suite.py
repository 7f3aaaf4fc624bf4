"""Encode a share of every collection of a suite with one bi-encoder."""

from synthrank.cli import run
from synthrank.runs.encode_suite import encode_suite

run(encode_suite)
