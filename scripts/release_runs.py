"""Write a ranker's runs on a suite with headers that say how they came about."""

from synthrank.cli import run
from synthrank.releases.release_runs import release_runs

run(release_runs)
