"""Overlaps by Jaccard similarity: equal to a comparison of all pairs."""

import random

import pytest

from synthrank.data.words import words_of
from synthrank.steps.queries.overlap import Overlaps


def similarity(one, other):
    one, other = set(words_of(one)), set(words_of(other))
    return len(one & other) / len(one | other) if one | other else 0.0


def test_words_are_in_lower_case_without_punctuation():
    assert words_of("What IS a what-if? Is it Ünlü's") == ["what", "is", "a", "what", "if", "is", "it", "ünlü", "s"]
    assert Overlaps(["how do bees dance?"], 1.0).find("Bees: DO bees dance -- how")


@pytest.mark.parametrize(
    ("least", "text", "found"),
    [
        (0.8, "a b c d", True),  # 4 of 5
        (0.81, "a b c d", False),
        (0.8, "a b c d e f", True),  # 5 of 6
        (0.6, "a b c x", False),  # 3 of 6
        (0.5, "a b c x", True),
        (1.0, "e d c b a", True),
        (1.0, "a b c d e f", False),
        (0.0, "a x y z", True),  # at 0 one shared word is enough
        (0.0, "x y z", False),
        (0.0, "?!", False),
    ],
)
def test_two_queries_overlap_from_the_lowest_similarity(least, text, found):
    assert Overlaps(["unrelated words", "a b c d e", "..."], least).find(text) is found


def test_a_similarity_with_a_rounding_error_counts_as_reached():
    # 0.56 * 25 is above 14 in floating point, and the last 14 of 25 words are shared.
    words = [f"w{number:02}" for number in range(25)]
    assert Overlaps([" ".join(words)], 0.56).find(" ".join(words[11:]))
    assert not Overlaps([" ".join(words)], 0.56).find(" ".join(words[12:]))


@pytest.mark.parametrize("least", [0.0, 0.2, 0.3, 0.55, 0.7, 0.8, 1.0])
def test_overlaps_equal_those_of_comparing_all_pairs(least):
    numbers = random.Random(least)
    vocabulary = [f"w{number}" for number in range(60)]
    weights = [1 / (place + 1) for place in range(60)]

    def text():
        return " ".join(numbers.choices(vocabulary, weights, k=numbers.randint(1, 12)))

    def alike(other):
        words = sorted(words_of(other), key=lambda _: numbers.random())
        return " ".join([*words[numbers.randint(0, 2) :], *numbers.choices(vocabulary, k=numbers.randint(0, 2))])

    others = [text() for _ in range(150)]
    texts = [text() for _ in range(75)] + [alike(other) for other in others]
    overlaps = Overlaps(others, least)
    expected = [any((value := similarity(one, other)) >= least and value > 0 for other in others) for one in texts]
    assert [overlaps.find(one) for one in texts] == expected
    assert sum(expected) > 0 or least == 1.0
