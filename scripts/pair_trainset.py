"""Pair positives of one or several paradigms with retrieved negatives."""

from synthrank.cli import run
from synthrank.trainsets.pair_trainset import pair_trainset

run(pair_trainset)
