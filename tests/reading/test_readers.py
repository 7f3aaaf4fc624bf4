"""Reading lists of queries, rankings and grades: what is certain is read, what is not is counted."""

import pytest

from synthrank.reading.queries import read_queries
from synthrank.reading.ranking import read_ranking
from synthrank.reading.status import Status


@pytest.mark.parametrize(
    ("text", "value", "status", "notes"),
    [
        ("[2] > [1] > [3]", [1, 0, 2], Status.WELL_FORMED, ()),
        ("[3]>[1]>[2]", [2, 0, 1], Status.WELL_FORMED, ()),
        ("2, 1, 3", [1, 0, 2], Status.REPAIRED, ("form",)),
        ("The order is [2] > [3].", [1, 2, 0], Status.REPAIRED, ("form", "missing")),
        ("[2] > [2] > [1] > [3]", [1, 0, 2], Status.REPAIRED, ("repeated",)),
        ("[7] > [2] > [1] > [3]", [1, 0, 2], Status.REPAIRED, ("outside",)),
        ("[0] > [1]", [0, 1, 2], Status.REPAIRED, ("outside", "missing")),
        ("I cannot rank these.", None, Status.MALFORMED, ("no number of the window",)),
        ("[9]", None, Status.MALFORMED, ("no number of the window",)),
    ],
)
def test_a_ranking(text, value, status, notes):
    read = read_ranking(text, 3)
    assert (read.value, read.status, read.notes) == (value, status, notes)


def test_a_repaired_ranking_is_always_a_permutation():
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
def test_a_list_of_queries(text, value, status):
    read = read_queries(text)
    assert (read.value, read.status) == (value, status)
