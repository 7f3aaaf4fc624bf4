"""Make the page of the experiment."""

from synthrank.cli import run
from synthrank.report.make_report import make_report

run(make_report)
