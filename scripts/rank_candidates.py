"""Have a language model order the candidates of a shard of the queries."""

from synthrank.cli import run
from synthrank.rankings.rank_candidates import rank_candidates

run(rank_candidates)
