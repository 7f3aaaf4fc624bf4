"""Score written passages for their queries by a reranker or a dense retriever."""

from synthrank.cli import run
from synthrank.runs.score_passages import score_passages

run(score_passages)
