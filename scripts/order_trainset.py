"""Label pooled candidates with their rank in a language model's order."""

from synthrank.cli import run
from synthrank.trainsets.order_trainset import order_trainset

run(order_trainset)
