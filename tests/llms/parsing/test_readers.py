"""Reading rankings and lists of queries."""

import pytest

from synthrank.llms.parsing.queries import read_queries
from synthrank.llms.parsing.ranking import read_ranking
from synthrank.llms.parsing.status import Status


@pytest.mark.parametrize(
    ("text", "value", "status", "notes"),
    [
        ("[2] > [1] > [3]", [1, 0, 2], Status.WELL_FORMED, ()),
        ("[3]>[1]>[2]", [2, 0, 1], Status.WELL_FORMED, ()),
        ("2, 1, 3", [1, 0, 2], Status.REPAIRED, ("form",)),
        ("The order is [2] > [3].", [1, 2, 0], Status.REPAIRED, ("form", "missing")),
        ("[2] > [2] > [1] > [3]", [1, 0, 2], Status.REPAIRED, ("repeated",)),
        ("[7] > [2] > [1] > [3]", [1, 0, 2], Status.REPAIRED, ("outside",)),
        ("[0] > [1]", [0, 1, 2], Status.REPAIRED, ("outside", "missing", "few")),
        ("I cannot rank these.", None, Status.MALFORMED, ("no number of the window",)),
        ("[9]", None, Status.MALFORMED, ("no number of the window",)),
    ],
)
def test_read_ranking_returns_places_status_and_notes(text, value, status, notes):
    read = read_ranking(text, 3)
    assert (read.value, read.status, read.notes) == (value, status, notes)


def test_read_ranking_always_returns_a_permutation():
    for text in ("3 1 4 1 5 9 2 6", "[10] > [2]", "1" * 40, "[4]>[4]>[4]", "[2] > [" + "7" * 10_000):
        read = read_ranking(text, 5)
        assert read.value is None or sorted(read.value) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "value", "status"),
    [
        ("how do bees dance?\nwhy do they?", ["how do bees dance?", "why do they?"], Status.WELL_FORMED),
        ("1. first one\n2) second one", ["first one", "second one"], Status.WELL_FORMED),
        ('["first", "second"]', ["first", "second"], Status.WELL_FORMED),
        ('{"queries": ["first"]}', ["first"], Status.WELL_FORMED),
        ('```json\n["first"]\n```', ["first"], Status.REPAIRED),
        ("Here are the queries:\n- first\n- second", ["first", "second"], Status.REPAIRED),
        ("same\nsame\nother", ["same", "other"], Status.REPAIRED),
        ('["cut off', None, Status.MALFORMED),
        ("", None, Status.MALFORMED),
        ("Bees dance. They do it often. It looks nice. We like it.", None, Status.MALFORMED),
    ],
)
def test_read_queries_returns_queries_and_status(text, value, status):
    read = read_queries(text)
    assert (read.value, read.status) == (value, status)
