"""Run the step of a table with defaults for all options that a test does not state."""

import csv
import inspect

import pytest

from synthrank.config.experiment import Intervals

PLAIN = {"answers": [], "selected": [], "seen": [], "trainsets": [], "rankers": [], "scope": "",
         "intervals": Intervals(resamples=300, confidence=0.9, seed=3)}  # fmt: skip


class Row(dict):
    """A row of a table. A column that was left out, because it is empty in every row, is empty."""

    def __missing__(self, column):
        return ""


@pytest.fixture
def table_of(tmp_path):
    """Return a function that runs the step of a table and returns the table's rows and its Markdown copy."""

    def do(step, **options):
        plain = {name: value for name, value in PLAIN.items() if name in inspect.signature(step).parameters}
        table, markdown = tmp_path / "t.csv", tmp_path / "t.md"
        step(**plain | options, table=table, markdown=markdown)
        with table.open(newline="") as stream:
            return [Row(row) for row in csv.DictReader(stream)], markdown.read_text()

    return do
