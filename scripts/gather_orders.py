"""Concatenate the orders of all shards and count what was asked for them."""

from synthrank.cli import run
from synthrank.rankings.gather_orders import gather_orders

run(gather_orders)
