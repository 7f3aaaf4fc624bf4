"""Human passages with the queries that were made from them."""

import json

import pytest

from synthrank.errors import BudgetError, DataError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.passages.pair_queries import pair_queries
from synthrank.records import Judgment, Passage, Query, WrittenPassage
from synthrank.trec import write_qrels

QUERIES = [Query("made:b:1", "what is b", "b"), Query("made:a:1", "what is a", "a"), Query("made:b:2", "why b", "b")]


@pytest.fixture
def pair(tmp_path):
    """Return a function that runs the step and returns the pairs and the counts."""
    write_jsonl(tmp_path / "passages.jsonl", [Passage(name, f"text of {name}") for name in "abc"])

    def run(queries=QUERIES, held_out=()):
        write_jsonl(tmp_path / "queries.jsonl", queries)
        write_qrels(tmp_path / "held.txt", [Judgment("t", name, 1) for name in held_out])
        pair_queries(
            queries=tmp_path / "queries.jsonl", passages=tmp_path / "passages.jsonl", held_out=[tmp_path / "held.txt"],
            positives=tmp_path / "written.jsonl", counts=tmp_path / "counts.json",
        )  # fmt: skip
        written = list(read_jsonl(tmp_path / "written.jsonl", WrittenPassage))
        return written, json.loads((tmp_path / "counts.json").read_text())

    return run


def test_each_query_has_the_passage_that_it_was_made_from(pair):
    written, counts = pair()
    assert written == [WrittenPassage(item.source, f"text of {item.source}", item.id, item.text) for item in QUERIES]
    assert counts == {"queries": 3, "passages": 2, "held_out_answers": 0}


def test_a_passage_that_answers_a_held_out_query_is_left_out_with_its_queries(pair):
    written, counts = pair(held_out=["b"])
    assert [item.query_id for item in written] == ["made:a:1"]
    assert counts == {"queries": 3, "passages": 1, "held_out_answers": 2}
    with pytest.raises(BudgetError, match=r"queries\.jsonl: no query is of a passage that may train"):
        pair(held_out=["a", "b"])


def test_a_query_of_no_passage_is_one_line(pair):
    with pytest.raises(DataError, match=r"queries\.jsonl: query x: source: is empty; name the passage that it was"):
        pair([Query("x", "of no passage")])
