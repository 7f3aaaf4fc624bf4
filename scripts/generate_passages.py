"""Ask a language model for every request of a shard and keep every reply."""

from synthrank.cli import run
from synthrank.passages.generate_passages import generate_passages

run(generate_passages)
