"""Render a paradigm's prompt for every training query."""

from synthrank.cli import run
from synthrank.passages.write_requests import write_requests

run(write_requests)
