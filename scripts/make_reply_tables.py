"""Make the tables of what language models were asked, what came back, and what it cost."""

from synthrank.cli import run
from synthrank.tables.make_reply_tables import make_reply_tables

run(make_reply_tables)
