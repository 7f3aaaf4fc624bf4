"""Make a bi-encoder out of the token table of a language model."""

from synthrank.cli import run
from synthrank.models.build_static_model import build_static_model

run(build_static_model)
