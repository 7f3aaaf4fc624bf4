"""Human passages with the queries that were made from them."""

import json

import pytest
from held_out_case import exclude

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Judgment, Passage, Query, WrittenPassage
from synthrank.errors import BudgetError, DataError
from synthrank.steps.passages.pair_queries import pair_queries

QUERIES = [Query("made:b:1", "what is b", "b"), Query("made:a:1", "what is a", "a"), Query("made:b:2", "why b", "b")]


@pytest.fixture
def pair(tmp_path):
    """Return a function that runs the step and returns the pairs and the counts."""
    write_jsonl(tmp_path / "passages.jsonl", [Passage(name, f"text of {name}") for name in "abc"])

    def run(queries=QUERIES, held_out=()):
        write_jsonl(tmp_path / "queries.jsonl", queries)
        exclude(tmp_path, [Judgment("t", name, 1) for name in held_out])
        pair_queries(
            queries=tmp_path / "queries.jsonl", passages=tmp_path / "passages.jsonl",
            excluded=tmp_path / "excluded.txt", positives=tmp_path / "written.jsonl", counts=tmp_path / "counts.json",
        )  # fmt: skip
        written = list(read_jsonl(tmp_path / "written.jsonl", WrittenPassage))
        return written, json.loads((tmp_path / "counts.json").read_text())

    return run


def test_pair_queries_pairs_each_query_with_its_source(pair):
    written, counts = pair()
    assert written == [WrittenPassage(item.source, f"text of {item.source}", item.id, item.text) for item in QUERIES]
    assert counts == {"queries": 3, "passages": 2, "held_out_answers": 0}


def test_pair_queries_leaves_out_held_out_answers_with_their_queries(pair):
    written, counts = pair(held_out=["b"])
    assert [item.query_id for item in written] == ["made:a:1"]
    assert counts == {"queries": 3, "passages": 1, "held_out_answers": 2}
    with pytest.raises(BudgetError, match=r"queries\.jsonl: every query's passage is relevant to a held-out query"):
        pair(held_out=["a", "b"])


def test_pair_queries_refuses_a_query_without_a_source(pair):
    with pytest.raises(DataError, match=r"queries\.jsonl: query x: source is empty; expected the id of its passage"):
        pair([Query("x", "of no passage")])
