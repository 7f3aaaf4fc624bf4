"""Concatenate the replies of all shards."""

from synthrank.cli import run
from synthrank.passages.gather_replies import gather_replies

run(gather_replies)
