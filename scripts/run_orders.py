"""Turn the orders that a language model gave to pooled candidates into a run."""

from synthrank.cli import run
from synthrank.runs.run_orders import run_orders

run(run_orders)
