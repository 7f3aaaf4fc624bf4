"""Mix the queries of several augmentations in a stated ratio."""

from synthrank.cli import run
from synthrank.queries.mix_queries import mix_queries

run(mix_queries)
