"""Choose the weight of a reranker's score beside its first stage's on a development split."""

from synthrank.cli import run
from synthrank.runs.choose_weight import choose_weight

run(choose_weight)
