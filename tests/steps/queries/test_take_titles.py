"""Titles as queries: each title once, sampled, without titles of held-out answers."""

import pytest
from held_out_case import exclude

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sampling import shuffle
from synthrank.errors import BudgetError
from synthrank.steps.queries.take_titles import take_titles


@pytest.fixture
def take(tmp_path):
    def do(passages, held_out=(), settings="count: 100\nmin_words: 2"):
        (tmp_path / "titles.yaml").write_text(f"kind: title\n{settings}\n")
        write_jsonl(tmp_path / "p.jsonl", passages)
        exclude(tmp_path, held_out)
        take_titles(spec=tmp_path / "titles.yaml", passages=tmp_path / "p.jsonl",
                    excluded=tmp_path / "excluded.txt", raw=tmp_path / "raw.jsonl")  # fmt: skip
        return list(read_jsonl(tmp_path / "raw.jsonl", Query))

    return do


def test_take_titles_makes_each_distinct_title_a_query(take):
    found = take([
        Passage("p1", "x", "Install  the\npackage"), Passage("p2", "x", "install THE package"),
        Passage("p3", "x", "Settings"), Passage("p4", "x", ""), Passage("p5", "x", "All settings"),
    ])  # fmt: skip
    assert sorted(found, key=lambda query: query.id) == [
        Query("titles:p1", "Install the package", "p1"),
        Query("titles:p5", "All settings", "p5"),
    ]


PASSAGES = [Passage(f"p{number}", "x", f"title number {number}") for number in range(30)]


def test_take_titles_leaves_out_held_out_answers(take):
    held_out = [Judgment("t1", "p3", 1), Judgment("t2", "p4", 2), Judgment("t2", "p5", 0)]
    found = {query.source for query in take(PASSAGES, held_out)}
    assert found == {passage.id for passage in PASSAGES} - {"p3", "p4"}


def test_a_title_shared_with_a_held_out_answer_may_come_from_another_passage(take):
    passages = [Passage("p1", "x", "Same title"), Passage("p2", "y", "Same title")]
    assert take(passages, [Judgment("t", "p1", 1)]) == [Query("titles:p2", "Same title", "p2")]


def test_take_titles_leaves_out_passages_without_text(take):
    assert [query.source for query in take([Passage("p1", " ", "Some title"), Passage("p2", "x", "Other title")])] == [
        "p2"
    ]


def test_take_titles_is_seeded_and_nested(take):
    order = [f"titles:p{title.split()[-1]}" for title in shuffle([passage.title for passage in PASSAGES], 7)]
    for count in (3, 10, 99):
        assert [query.id for query in take(PASSAGES, (), f"count: {count}\nseed: 7")] == order[:count]


def test_take_titles_without_any_title_is_an_error(take):
    with pytest.raises(BudgetError, match="no title has 2 words; lower min_words in "):
        take([Passage("p1", "x", "Short"), Passage("p2", "x")])
