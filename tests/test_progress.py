"""Progress: lines in the log always, a bar where someone watches, and no item lost."""

import io
import logging
import re

import pytest

from synthrank import progress as module
from synthrank.progress import Progress, progress


@pytest.fixture
def lines(caplog, monkeypatch):
    monkeypatch.setenv("SYNTHRANK_PROGRESS", "log")
    caplog.set_level(logging.INFO, "progress")
    return lambda: [re.sub(r"\d+(\.\d)? s$", "T s", record.getMessage()) for record in caplog.records]


def test_every_item_comes_through_and_the_end_is_told(lines):
    assert list(progress(iter("abc"), 3, "letters")) == ["a", "b", "c"]
    assert lines() == ["3 of 3 letters in T s"]


def test_a_long_step_tells_on_the_way(lines, monkeypatch):
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.0)
    list(progress("ab", 2, "letters"))
    assert lines() == ["1 of 2 letters, T s", "2 of 2 letters, T s", "2 of 2 letters in T s"]


def test_items_are_drawn_one_at_a_time(lines):
    items = iter("abc")
    assert next(progress(items, 3, "letters")) == "a"
    assert next(items) == "b"


def test_an_error_tells_how_far_it_came(lines):
    def items():
        yield "a"
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        list(progress(items(), 5, "letters"))
    assert lines() == ["1 of 5 letters in T s"]


def test_items_are_counted_in_lots(lines):
    with Progress(10, "rows") as state:
        state.advance(4)
        state.advance()
    assert state.done == 5
    assert lines() == ["5 of 10 rows in T s"]


def test_the_bar_goes_to_the_terminal_and_is_closed(lines, monkeypatch):
    terminal = io.StringIO()
    shown = []
    monkeypatch.setattr(terminal, "close", lambda: shown.append(terminal.getvalue()))
    monkeypatch.setattr(module, "_terminal", lambda: terminal)
    list(progress("ab", 2, "letters"))
    assert len(shown) == 1
    assert "letters" in shown[0]
    assert "/2" in shown[0]


@pytest.mark.parametrize(("name", "value"), [("SYNTHRANK_PROGRESS", "log"), ("CI", "true")])
def test_the_bar_can_be_switched_off(monkeypatch, name, value):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("SYNTHRANK_PROGRESS", raising=False)
    monkeypatch.setattr("builtins.open", lambda *_, **__: "terminal")
    assert module._terminal() == "terminal"
    monkeypatch.setenv(name, value)
    assert module._terminal() is None
