"""Fetch and unpack the source distributions that a corpus is read from."""

from synthrank.cli import run
from synthrank.corpora.fetch_archives import fetch_archives

run(fetch_archives)
