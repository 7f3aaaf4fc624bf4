"""Exemplars: seeded draws of training pairs and of raw passages."""

import pytest

from synthrank.data.files import write_jsonl
from synthrank.data.records import Exemplar, Passage, Query
from synthrank.data.sampling import shuffle
from synthrank.errors import BudgetError
from synthrank.llms.exemplars import cut_words, draw_passages, pairs

QUERIES = [Query(f"q{number}", f"question {number}") for number in range(6)]


def test_pairs_takes_the_first_queries_with_an_allowed_passage(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(f"p{number}", f"a b {number}") for number in range(8)])
    judged = {"q0": {"p0": 1}, "q1": {"p1": 2, "p7": 1}, "q2": {"p2": 1}, "q3": {"p3": 1, "p6": 2}, "q5": {"p5": 1},
              "q4": {"p4": 0}}  # fmt: skip
    order = [name for name in shuffle([query.id for query in QUERIES], 3) if name not in ("q2", "q4")]
    shown = {"q0": "p0", "q1": "p7", "q3": "p6", "q5": "p5"}  # p1 and p2 are excluded, q4 has no answer
    for count in (1, 3, 9):
        found = pairs(tmp_path / "p.jsonl", QUERIES, judged, {"p1", "p2"}, count=count, seed=3, words=2)
        assert found == [Exemplar(shown[name], "a b …", name, f"question {name[1:]}") for name in order[:count]]


def test_pairs_draws_among_passages_of_the_best_grade(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(f"p{number}", "text") for number in range(9)])
    queries = [Query(f"q{number}", "question") for number in range(90)]
    judged = {query.id: {f"p{number}": 1 + (number > 2) for number in range(9)} for query in queries}
    found = pairs(tmp_path / "p.jsonl", queries, judged, set(), count=90, seed=1, words=None)
    assert {item.id for item in found} == {f"p{number}" for number in range(3, 9)}, (
        "each passage of the best grade is drawn"
    )


def test_drawn_passages_are_uniform_and_independent_per_query(tmp_path):
    """The number of distinct passages is as for independent draws, and places are uniform over the file."""
    size, count = 2000, 3
    write_jsonl(tmp_path / "p.jsonl", [Passage(f"p{number}", f"text {number}") for number in range(size)])
    queries = [Query(f"q{number}", "question") for number in range(400)]
    found = draw_passages(tmp_path / "p.jsonl", queries, {}, {"p7"}, count=count, seed=5, words=None)
    ids = [item.id for query in queries for item in found[query.id]]
    assert all(len({item.id for item in items}) == count for items in found.values())
    assert all(item.text == f"text {item.id[1:]}" for items in found.values() for item in items)
    draws = len(queries) * count
    assert len(ids) == draws
    assert "p7" not in ids
    expected = size * (1 - (1 - 1 / size) ** draws)  # 902.5
    assert abs(len(set(ids)) - expected) < 4 * 13, "the standard deviation is below 13"
    quarters = [sum(int(name[1:]) * 4 // size == part for name in ids) for part in range(4)]
    assert sum((found - draws / 4) ** 2 / (draws / 4) for found in quarters) < 16.27, "chi-squared, 3 degrees, p .001"


def test_drawn_passages_of_a_query_do_not_depend_on_other_queries(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(f"p{number}", "text") for number in range(50)])
    queries = [Query(f"q{number}", "question") for number in range(30)]
    own = {"q3": {f"p{number}" for number in range(40)}, "q4": {"p1"}, "q29": {"p2", "p9"}}

    def draw(asked, seed=1, excluded=frozenset()):
        path = tmp_path / "p.jsonl"
        found = draw_passages(path, asked, own, set(excluded), count=2, seed=seed, words=None)
        return {query: [item.id for item in items] for query, items in found.items()}

    every = draw(queries)
    assert not {*every["q3"]} & own["q3"]
    part = draw(queries[:7])
    assert part == {query.id: every[query.id] for query in queries[:7]}
    assert sum(every[name] == found for name, found in draw(queries, seed=2).items()) < 3
    held = draw(queries, excluded={"p30"})
    moved = {name for name in every if held[name] != every[name]}
    assert moved == {name for name, found in every.items() if "p30" in found}, "only queries that showed it"
    with pytest.raises(
        BudgetError, match=r"3 exemplars needed, but only 2 passages may be shown for query q3; lower exemplars\.count"
    ):
        draw_passages(
            tmp_path / "p.jsonl", queries, own, {f"p{number}" for number in range(40, 48)}, count=3, seed=1, words=None
        )


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [("a  b c", 2, "a b …"), ("a b", 2, "a b"), ("a  b\nc", None, "a b c"), ("", 2, "")],
)
def test_cut_words_marks_a_cut_with_an_ellipsis(text, words, expected):
    assert cut_words(text, words) == expected
