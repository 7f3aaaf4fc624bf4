"""Encode a shard of one collection with a dense retriever."""

from synthrank.cli import run
from synthrank.runs.encode_dense import encode_dense

run(encode_dense)
