"""Pool the candidates of several first stages, as a pool's file says."""

from synthrank.cli import run
from synthrank.rankings.pool_candidates import pool_candidates

run(pool_candidates)
