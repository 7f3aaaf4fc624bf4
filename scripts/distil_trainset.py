"""Label the candidates of a first stage with a dense model's similarity."""

from synthrank.cli import run
from synthrank.trainsets.distil_trainset import distil_trainset

run(distil_trainset)
