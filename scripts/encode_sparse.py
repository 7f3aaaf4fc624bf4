"""Encode a shard of one collection with a learned sparse retriever."""

from synthrank.cli import run
from synthrank.runs.encode_sparse import encode_sparse

run(encode_sparse)
