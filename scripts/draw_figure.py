"""Make the in-distribution and the out-of-distribution table."""

from synthrank.cli import run
from synthrank.figures.draw_figure import draw_figure

run(draw_figure)
