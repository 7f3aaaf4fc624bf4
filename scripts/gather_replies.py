"""Lay the replies of all shares end to end."""

from synthrank.cli import run
from synthrank.passages.gather_replies import gather_replies

run(gather_replies)
