"""Run one step: ``python scripts/step.py NAME --OPTION VALUE …``, as every rule does."""

import sys

from synthrank.cli import run_step

run_step(sys.argv[1], sys.argv[2:])
