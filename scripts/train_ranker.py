"""Train one ranker on one training set with one seed."""

from synthrank.cli import run
from synthrank.checkpoints.train_ranker import train_ranker

run(train_ranker)
