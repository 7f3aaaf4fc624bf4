"""Progress: lines in the log, a bar if there is a terminal, and all items are yielded."""

import io
import logging
import re

import pytest

from synthrank.runtime import progress as module
from synthrank.runtime.progress import Progress, progress


@pytest.fixture
def lines(caplog, monkeypatch):
    monkeypatch.setenv("SYNTHRANK_PROGRESS", "log")
    caplog.set_level(logging.INFO, "progress")
    return lambda: [re.sub(r"\d+(\.\d)? s$", "T s", record.getMessage()) for record in caplog.records]


def test_progress_yields_every_item_and_logs_the_end(lines):
    assert list(progress(iter("abc"), 3, "letters")) == ["a", "b", "c"]
    assert lines() == ["3 of 3 letters in T s"]


def test_progress_of_a_long_step_logs_intermediate_lines(lines, monkeypatch):
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    list(progress("ab", 2, "letters"))
    assert lines() == ["1 of 2 letters, T s", "2 of 2 letters, T s", "2 of 2 letters in T s"]


def test_progress_takes_one_item_at_a_time(lines):
    items = iter("abc")
    assert next(progress(items, 3, "letters")) == "a"
    assert next(items) == "b"


def test_progress_after_an_error_logs_the_finished_items(lines):
    def items():
        yield "a"
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        list(progress(items(), 5, "letters"))
    assert lines() == ["1 of 5 letters in T s"]


def test_advance_adds_several_items(lines):
    with Progress(10, "rows") as state:
        state.advance(4)
        state.advance()
    assert state.done == 5
    assert lines() == ["5 of 10 rows in T s"]


def test_progress_writes_the_bar_to_the_terminal_and_closes_it(lines, monkeypatch):
    terminal = io.StringIO()
    shown = []
    monkeypatch.setattr(terminal, "close", lambda: shown.append(terminal.getvalue()))
    monkeypatch.setattr(module, "_terminal", lambda: terminal)
    list(progress("ab", 2, "letters"))
    assert len(shown) == 1
    assert "letters" in shown[0]
    assert "/2" in shown[0]


@pytest.mark.parametrize(("name", "value"), [("SYNTHRANK_PROGRESS", "log"), ("CI", "true")])
def test_a_variable_turns_the_bar_off(monkeypatch, name, value):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("SYNTHRANK_PROGRESS", raising=False)
    monkeypatch.setattr("builtins.open", lambda *_, **__: "terminal")
    assert module._terminal() == "terminal"
    monkeypatch.setenv(name, value)
    assert module._terminal() is None
