"""Take passages that were written elsewhere as positives."""

from synthrank.cli import run
from synthrank.passages.import_passages import import_passages

run(import_passages)
