"""Filters of queries: dropped queries are counted per filter, and the others keep their order."""

import json

import pytest

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Query
from synthrank.data.trec import write_run
from synthrank.errors import BudgetError
from synthrank.steps.queries.filter_queries import filter_queries


@pytest.fixture
def run_filters(tmp_path):
    def do(queries, filters=None, testsets=(), run=None):
        spec = {"kind": "crop", "count": 10, "filters": filters or {}}
        (tmp_path / "crop.yaml").write_text(json.dumps(spec))
        write_jsonl(tmp_path / "raw.jsonl", queries)
        for number, texts in enumerate(testsets):
            asked = [Query(f"t{place}", text) for place, text in enumerate(texts)]
            write_jsonl(tmp_path / f"test{number}.jsonl", asked)
        if run is not None:
            write_run(tmp_path / "run.trec", run, "bm25")
        filter_queries(
            spec=tmp_path / "crop.yaml", raw=tmp_path / "raw.jsonl",
            testsets=[tmp_path / f"test{number}.jsonl" for number in range(len(testsets))],
            run=[tmp_path / "run.trec"] if run is not None else [],
            queries=tmp_path / "queries.jsonl", filters=tmp_path / "filters.json",
        )  # fmt: skip
        kept = [query.id for query in read_jsonl(tmp_path / "queries.jsonl", Query)]
        return kept, json.loads((tmp_path / "filters.json").read_text())

    return do


QUERIES = [
    Query("q1", "how do bees dance", "p1"),
    Query("q2", "How  do bees DANCE", "p2"),
    Query("q3", "how do bees dance?", "p3"),
    Query("q4", "meaning of a waggle", "p4"),
]


def test_duplicates_that_differ_in_case_and_spaces_are_dropped(run_filters):
    kept, counts = run_filters(QUERIES)
    assert kept == ["q1", "q3", "q4"]
    assert counts == {"in": 4, "dropped": {"duplicates": 1}, "out": 3}


def test_filter_queries_without_filters_keeps_all_queries(run_filters):
    assert run_filters(QUERIES, {"duplicates": False}) == (
        ["q1", "q2", "q3", "q4"],
        {"in": 4, "dropped": {}, "out": 4},
    )


def test_a_query_that_overlaps_with_any_test_set_is_dropped(run_filters):
    settings = {"duplicates": False, "testsets": ["a", "b"]}
    kept, counts = run_filters(QUERIES, settings, (["where do bees sleep"], ["bees, how do they dance"]))
    assert kept == ["q4"]  # 4 of 5 words are shared
    assert counts == {"in": 4, "dropped": {"testsets": 3}, "out": 1}
    kept, _ = run_filters(QUERIES, {**settings, "max_overlap": 0.9}, ([], ["bees, how do they dance"]))
    assert kept == ["q1", "q2", "q3", "q4"]


def test_a_query_that_does_not_find_its_source_is_dropped(run_filters):
    run = {
        "q1": [("p1", 3.0), ("x", 2.0)],
        "q3": [("x", 3.0), ("p3", 2.0), ("y", 1.0)],
        "q4": [("x", 3.0), ("y", 2.0), ("p4", 1.0)],
    }
    settings = {"duplicates": False, "round_trip": {"retriever": "bm25", "depth": 2}}
    kept, counts = run_filters(QUERIES, settings, run=run)
    assert kept == ["q1", "q3"]
    assert counts == {"in": 4, "dropped": {"round_trip": 2}, "out": 2}
    settings["round_trip"]["depth"] = 3
    assert run_filters(QUERIES, settings, run=run)[0] == ["q1", "q3", "q4"]


def test_a_query_is_counted_by_the_first_filter_that_drops_it(run_filters):
    settings = {"testsets": ["a"], "round_trip": {"retriever": "bm25"}}
    kept, counts = run_filters(QUERIES, settings, (["dance, how do bees"],), {"q4": [("p4", 1.0)]})
    assert kept == ["q4"]
    assert counts == {"in": 4, "dropped": {"duplicates": 1, "testsets": 2, "round_trip": 0}, "out": 1}


def test_filter_queries_without_any_query_left_is_an_error(run_filters):
    with pytest.raises(BudgetError, match=r"raw\.jsonl: no query passes the filters of .*crop\.yaml \(dropped: "
                                          r"\{'duplicates': 1, 'round_trip': 3\}\); relax the filters"):  # fmt: skip
        run_filters(QUERIES, {"round_trip": {"retriever": "bm25"}}, run={})


def test_filter_queries_filters_a_mixture(tmp_path):
    (tmp_path / "mix.yaml").write_text(
        "kind: mixture\nparts: [{augmentation: a, count: 1}, {augmentation: b, count: 1}]\n"
    )
    write_jsonl(tmp_path / "raw.jsonl", [Query("a:1", "same text", "p1"), Query("b:1", "Same text", "p2")])
    filter_queries(spec=tmp_path / "mix.yaml", raw=tmp_path / "raw.jsonl", testsets=[], run=[],
                   queries=tmp_path / "queries.jsonl", filters=tmp_path / "filters.json")  # fmt: skip
    assert [query.id for query in read_jsonl(tmp_path / "queries.jsonl", Query)] == ["a:1"]
