"""Exemplars: a seeded choice of training queries, each with a passage that may be shown."""

import pytest

from synthrank.exemplars import cut, pairs
from synthrank.files import write_jsonl
from synthrank.order import seeded
from synthrank.records import Exemplar, Passage, Query

QUERIES = [Query(f"q{number}", f"question {number}") for number in range(6)]


def test_pairs_are_the_first_of_the_order_that_have_an_answer_to_show(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(f"p{number}", f"a b {number}") for number in range(8)])
    own = {"q0": {"p0"}, "q1": {"p1", "p7"}, "q2": {"p2"}, "q3": {"p3", "p6"}, "q5": {"p5"}}
    order = [name for name in seeded([query.id for query in QUERIES], 3) if name not in ("q2", "q4")]
    shown = {"q0": "p0", "q1": "p7", "q3": "p3", "q5": "p5"}  # p1 and p2 are excluded, q4 has no answer
    for count in (1, 3, 9):
        found = pairs(tmp_path / "p.jsonl", QUERIES, own, {"p1", "p2"}, count=count, seed=3, words=2)
        assert found == [Exemplar(shown[name], "a b …", name, f"question {name[1:]}") for name in order[:count]]


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [("a  b c", 2, "a b …"), ("a b", 2, "a b"), ("a  b\nc", None, "a b c"), ("", 2, "")],
)
def test_a_cut_says_that_something_is_left_out(text, words, expected):
    assert cut(text, words) == expected
