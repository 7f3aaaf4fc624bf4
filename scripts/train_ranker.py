"""Train one ranker on one training set with one seed."""

from synthrank.checkpoints.train_ranker import train_ranker
from synthrank.cli import run

run(train_ranker)
