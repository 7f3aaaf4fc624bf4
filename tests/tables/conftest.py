"""How a test makes a table: by its step, with nothing around it but what the test is about."""

import csv
import inspect

import pytest

from synthrank.specs.experiment import Intervals

PLAIN = {"answers": [], "selected": [], "seen": [], "trainsets": [], "rankers": [], "scope": "",
         "intervals": Intervals(resamples=300, confidence=0.9, seed=3)}  # fmt: skip


@pytest.fixture
def table_of(tmp_path):
    """Return a function that runs the step of a table, and returns the table's rows and its Markdown twin."""

    def do(step, **options):
        plain = {name: value for name, value in PLAIN.items() if name in inspect.signature(step).parameters}
        table, markdown = tmp_path / "t.csv", tmp_path / "t.md"
        step(**plain | options, table=table, markdown=markdown)
        with table.open(newline="") as stream:
            return list(csv.DictReader(stream)), markdown.read_text()

    return do
