"""Make a model of the first layers of another."""

from synthrank.cli import run
from synthrank.models.take_first_layers import take_first_layers

run(take_first_layers)
