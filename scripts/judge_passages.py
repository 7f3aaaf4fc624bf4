"""Score written passages for their queries by a language model."""

from synthrank.cli import run
from synthrank.passages.judge_passages import judge_passages

run(judge_passages)
