"""Count the training passages that answer test queries."""

from synthrank.cli import run
from synthrank.validity.count_answers import count_answers

run(count_answers)
