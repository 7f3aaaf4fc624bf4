"""Label written passages of several levels of relevance with their level."""

from synthrank.cli import run
from synthrank.trainsets.graded_trainset import graded_trainset

run(graded_trainset)
