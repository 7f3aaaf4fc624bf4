"""Draw the training pairs that prompts for queries show."""

from synthrank.cli import run
from synthrank.queries.draw_exemplars import draw_exemplars

run(draw_exemplars)
