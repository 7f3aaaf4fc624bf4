"""Read replies as passages and count what is dropped and why."""

from synthrank.cli import run
from synthrank.passages.filter_passages import filter_passages

run(filter_passages)
