"""Reading the choice of a lettered passage: ambiguous replies are malformed."""

import pytest

from synthrank.llms.parsing.choice import read_choice
from synthrank.llms.parsing.status import Status


@pytest.mark.parametrize("text", ["B", "b", " [B]\n", "Passage B", "passage: B.", "**Passage B**", '"B"', "(B).", "B:"])
def test_read_choice_of_only_a_letter_is_well_formed(text):
    read = read_choice(text, 3)
    assert (read.value, read.status, read.notes) == (1, Status.WELL_FORMED, ())


@pytest.mark.parametrize(
    "text",
    [
        "The most relevant passage is B.",
        "Answer: B",
        "Label: B, because it answers",
        "B. It names the query's words.",
        "B, since passage B explains how",
        "I think [B] is best, because [B] has more",
        "Passage B is the most relevant one. A reader finds all there is in it.",
    ],
)
def test_read_choice_repairs_words_around_one_letter(text):
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
def test_read_choice_of_an_ambiguous_reply_is_malformed(text, note):
    read = read_choice(text, 3)
    assert (read.value, read.status, read.notes) == (None, Status.MALFORMED, (note,))


def test_read_choice_accepts_every_letter():
    assert [read_choice(letter, 26).value for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"] == list(range(26))
    assert read_choice("C", 2).value is None


def test_read_choice_of_many_marks_is_fast():
    assert read_choice("(" * 5000 + "?", 3).value is None
    assert read_choice(" " * 100_000, 3).value is None
