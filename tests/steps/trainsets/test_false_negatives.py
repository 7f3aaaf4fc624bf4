"""The false-negative guard."""

import pytest

from synthrank.config.recipes import Guard
from synthrank.data.records import WrittenPassage
from synthrank.steps.trainsets.false_negatives import drop_false_negatives

POSITIVE = WrittenPassage("pos", "Alpha beta gamma delta", "q", "q?")
TEXTS = {
    "a": "alpha beta gamma other",  # three quarters of its words
    "b": "nothing in common",
    "c": "Alpha beta gamma delta",  # the positive with another id
    "d": "alpha ALPHA alpha x",  # half of its distinct words
    "pos": "Alpha beta gamma delta",
    "e": "alpha beta",  # all of its words
    "f": "",
}
RANKED = ["a", "b", "pos", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("guard", "known", "expected"),
    [
        ({}, set(), ["a", "b", "d", "e", "f"]),
        ({}, {"b", "e"}, ["a", "d", "f"]),
        ({"known_positives": False}, {"b", "e"}, ["a", "b", "d", "e", "f"]),
        ({"skip_top": 1}, set(), ["b", "d", "e", "f"]),
        ({"skip_top": 4}, set(), ["d", "e", "f"]),  # the positive and its copy count as ranks
        ({"skip_top": 9}, set(), []),
        ({"max_overlap": 0.9}, set(), ["a", "b", "d", "f"]),
        ({"max_overlap": 0.75}, set(), ["a", "b", "d", "f"]),  # a value at the limit is kept
        ({"max_overlap": 0.74}, set(), ["b", "d", "f"]),
        ({"max_overlap": 0.4}, set(), ["b", "f"]),
        ({"max_overlap": 0.0}, set(), ["b", "f"]),
        ({"skip_top": 2, "max_overlap": 0.5, "known_positives": True}, {"d"}, ["f"]),
    ],
)
def test_drop_false_negatives_keeps_expected_candidates(guard, known, expected):
    assert drop_false_negatives(RANKED, TEXTS, POSITIVE, known, Guard(**guard)) == expected
