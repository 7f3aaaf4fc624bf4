"""Find training queries, passages and exemplars that a test set holds too."""

from synthrank.cli import run
from synthrank.validity.find_leaks import find_leaks

run(find_leaks)
