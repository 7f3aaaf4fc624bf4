"""Candidates of a reranker: the top passages per query, with warnings about short, empty or missing ones."""

import logging

import pytest

from synthrank.data.files import write_jsonl
from synthrank.data.records import Passage, Query
from synthrank.data.shards import Shard
from synthrank.errors import DataError
from synthrank.rankers import candidates as module
from synthrank.rankers.base import Collection
from synthrank.rankers.candidates import candidates, lists_of

RUN = {
    "q1": [("a", 3.0), ("b", 2.0), ("c", 1.0)],
    "q2": [("c", 1.0)],
    "q4": [],
    "unasked": [("b", 1.0)],
}
QUERIES = tuple(Query(name, f"{name}?") for name in ("q2", "q1", "q3", "q4"))


@pytest.fixture
def collection(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage("a", "sea"), Passage("b", " "), Passage("c", ""), Passage("d", "sky")])
    return lambda run, depth=None: Collection(QUERIES, tmp_path / "p.jsonl", run, depth)


def test_candidates_returns_the_top_passages_and_their_texts(collection, caplog):
    given = candidates(collection(RUN), 2)
    assert given.queries == (Query("q2", "q2?"), Query("q1", "q1?")), "in the order of the queries"
    assert given.ids == {"q2": ["c"], "q1": ["a", "b"]}
    assert given.texts == {"a": "sea", "b": " ", "c": ""}
    assert [(query.id, name) for query, name in given.pairs([QUERIES[1]])] == [("q1", "a"), ("q1", "b")]


def test_candidates_uses_the_depth_of_the_collection(collection):
    assert candidates(collection(RUN, 1), 2).ids == {"q2": ["c"], "q1": ["a"]}
    assert candidates(collection(RUN, 3), 2).ids == {"q2": ["c"], "q1": ["a", "b", "c"]}


def test_candidates_warns_of_short_empty_and_missing_ones(collection, caplog):
    with caplog.at_level(logging.WARNING):
        candidates(collection(RUN), 3)
    assert [record.getMessage() for record in caplog.records] == [
        "2 queries have no candidates and are skipped",
        "1 queries have fewer than 3 candidates",
        "3 candidates are empty passages",
    ]
    caplog.clear()
    candidates(Collection(QUERIES[1:2], collection(RUN).passages, {"q1": [("a", 1.0)]}), 1)
    assert not caplog.records


def test_candidates_refuses_an_unknown_passage(collection):
    with pytest.raises(DataError, match=r"p\.jsonl: 1 passages are not in it, first 'z'"):
        candidates(collection({"q1": [("z", 1.0)]}), 2)


def test_candidates_shards_the_queries_with_candidates(collection, monkeypatch):
    whole = collection(RUN)
    shards = [candidates(Collection(QUERIES, whole.passages, RUN, None, Shard(number, 2)), 2) for number in (1, 2)]
    assert [[query.id for query in shard.queries] for shard in shards] == [[], ["q2", "q1"]], "scored together"
    assert shards[0].texts == {}
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 3)
    shards = [candidates(Collection(QUERIES, whole.passages, RUN, None, Shard(number, 2)), 2) for number in (1, 2)]
    assert [shard.ids for shard in shards] == [{"q2": ["c"]}, {"q1": ["a", "b"]}]
    assert [shard.texts for shard in shards] == [{"c": ""}, {"a": "sea", "b": " "}], "no other text is kept"
    assert {shard.together for shard in shards} == {1}


def test_lists_of_returns_the_number_of_queries_scored_together(monkeypatch):
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 7)
    assert lists_of(QUERIES, RUN, 2) == module.CandidateLists(QUERIES[:2], 3), "two passages per query"
    assert lists_of(QUERIES, RUN, 9).together == 2
    assert lists_of(QUERIES[2:], RUN, 9) == module.CandidateLists((), 7)
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 1)
    assert lists_of(QUERIES, RUN, 9).together == 1
