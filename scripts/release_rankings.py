"""Write a language model's orders in the form in which such sets are published."""

from synthrank.cli import run
from synthrank.releases.release_rankings import release_rankings

run(release_rankings)
