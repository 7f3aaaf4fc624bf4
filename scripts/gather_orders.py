"""Lay the orders of all shares end to end and count what was asked for them."""

from synthrank.cli import run
from synthrank.rankings.gather_orders import gather_orders

run(gather_orders)
