"""Reading the choice of a lettered passage: what leaves doubt is no choice."""

import pytest

from synthrank.reading.choice import read_choice
from synthrank.reading.status import Status


@pytest.mark.parametrize("text", ["B", "b", " [B]\n", "Passage B", "passage: B.", "**Passage B**", '"B"', "(B).", "B:"])
def test_the_letter_alone_is_well_formed(text):
    read = read_choice(text, 3)
    assert (read.value, read.status, read.notes) == (1, Status.WELL_FORMED, ())


@pytest.mark.parametrize(
    "text",
    [
        "The most relevant passage is B.",
        "Answer: B",
        "Label: B, because it says so",
        "B. It names the query's words.",
        "B, since passage B tells how",
        "I think [B] is best, because [B] says more",
        "Passage B is the most relevant one. A reader finds all there is in it.",
    ],
)
def test_words_around_one_letter_are_repaired(text):
    read = read_choice(text, 3)
    assert (read.value, read.status, read.notes) == (1, Status.REPAIRED, ("form",))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("", "no letter"),
        ("A passage about dogs", "no letter"),
        ("The answer is A guide to dogs", "no letter"),
        ("Passage Bears", "no letter"),
        ("None of them.", "no letter"),
        ("12", "no letter"),
        ("A or B", "no letter"),
        ("Passage A is more relevant than passage B.", "several letters"),
        ("[A] > [B]", "several letters"),
        ("D", "outside"),
        ("Passage D", "outside"),
        ("The answer is Z.", "outside"),
        ("\u212a", "outside"),  # the sign for kelvin, which folds to k
    ],
)
def test_what_leaves_doubt_is_malformed(text, note):
    read = read_choice(text, 3)
    assert (read.value, read.status, read.notes) == (None, Status.MALFORMED, (note,))


def test_every_letter_is_a_place():
    assert [read_choice(letter, 26).value for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] == list(range(26))
    assert read_choice("C", 2).value is None


def test_a_long_run_of_marks_takes_no_long_time():
    assert read_choice("(" * 5000 + "?", 3).value is None
    assert read_choice(" " * 100_000, 3).value is None
