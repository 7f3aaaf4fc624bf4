"""Steps import_run and run_orders: runs from published systems and from a language model's rankings."""

import json
import logging
import os
from pathlib import Path

import pytest

from synthrank.data.files import write_jsonl
from synthrank.data.records import Order, Passage, Query
from synthrank.data.trec import read_qrels, read_run
from synthrank.errors import DataError
from synthrank.stats.measures import measure_run
from synthrank.steps.runs.import_run import import_run
from synthrank.steps.runs.run_orders import run_orders

QUERIES = [Query("007", "one?"), Query("NA", "two?"), Query("q3", "three?")]


@pytest.fixture
def place(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(name, "text") for name in ("1e3", "p1", "p2", "p3")])
    write_jsonl(tmp_path / "q.jsonl", QUERIES)
    return tmp_path


def names(path):
    return {query: [name for name, _ in ranked] for query, ranked in read_run(path).items()}


def take(folder, text, **stated):
    """Import a file and return its rankings."""
    (folder / "file").write_text(text)
    (folder / "theirs.yaml").write_text(json.dumps({"kind": "recorded", "file": "file", **stated}))
    import_run(spec=folder / "theirs.yaml", file=folder / "file", queries=folder / "q.jsonl",
               passages=folder / "p.jsonl", run=folder / "run.trec")  # fmt: skip
    return names(folder / "run.trec")


RUN = """\
other Q0 unknown 1 9 x
NA Q0 p2 1 7.5 x
NA Q0 p1 2 7.5 x
007 Q0 p3 1 1 x
007 Q0 1e3 2 5 x
007 Q0 p1 3 3 x
"""


def test_import_run_keeps_rankings_of_the_queries(place, caplog):
    with caplog.at_level(logging.INFO):
        found = take(place, RUN)
    assert found == {"007": ["1e3", "p1", "p3"], "NA": ["p1", "p2"]}, (
        "sorted by score, ties by id; the rank column is ignored"
    )
    assert list(found) == ["007", "NA"], "rankings are in the order of the queries"
    assert "imported 2 rankings, left out 1 rankings of other queries" in caplog.text
    assert "1 of 3 queries have no ranking, first 'q3'" in caplog.text
    assert dict(read_run(place / "run.trec")["007"]) == {"1e3": 5.0, "p1": 3.0, "p3": 1.0}
    assert (place / "run.trec").read_text().splitlines()[0].endswith(" theirs")


def test_import_run_cuts_rankings_to_the_depth(place):
    assert take(place, RUN, depth=1) == {"007": ["1e3"], "NA": ["p1"]}
    ids = json.dumps({"qid": "007", "final": ["p3", "p1", "unknown"]})
    assert take(place, ids, format="ids", depth=2) == {"007": ["p3", "p1"]}


def test_import_run_keeps_the_order_of_lists_of_ids(place):
    lists = [{"topic": "NA", "order": ["p3", "1e3", "p2", "p1"]}, {"topic": "x", "order": ["unknown"]}]
    stated = {"format": "ids", "query_key": "topic", "order_key": "order"}
    assert take(place, "".join(json.dumps(item) + "\n" for item in lists), **stated) == {
        "NA": ["p3", "1e3", "p2", "p1"]
    }
    assert [score for _, score in read_run(place / "run.trec")["NA"]] == [4.0, 3.0, 2.0, 1.0]


@pytest.mark.parametrize("text", [
    "007 Q0 p1 1 2 x\n007 Q0 b 2 1 x\nNA Q0 a 1 1 x\nNA Q0 b 1 1 x\nother Q0 c 1 1 x\n",
    '{"qid": "007", "final": ["p1", "b"]}\n{"qid": "NA", "final": ["a", "b"]}\n{"qid": "other", "final": ["c"]}\n',
])  # fmt: skip
def test_import_run_refuses_passages_of_another_corpus(place, text):
    with pytest.raises(DataError, match=r"file: 2 of 3 ranked passages are not in .*p\.jsonl, first 'b'; use a file"):
        take(place, text, format="ids" if text.startswith("{") else "trec")
    assert not (place / "run.trec").exists()


def test_import_run_refuses_a_file_for_other_queries(place):
    with pytest.raises(DataError, match=r"file: none of 1 rankings is for a query of .*q\.jsonl"):
        take(place, "other Q0 p1 1 1 x\n")


@pytest.mark.parametrize(("lists", "problem"), [
    ([["007", ["p1"]], ["007", ["p2"]]], "query '007' has two rankings; expected one per query"),
    ([["007", ["p1", "p2", "p1"]]], "p1"),
])  # fmt: skip
def test_import_run_refuses_repeated_queries_or_passages(place, lists, problem):
    with pytest.raises(DataError, match=problem):
        take(place, "".join(json.dumps({"qid": q, "final": ids}) + "\n" for q, ids in lists), format="ids")


def test_run_orders_writes_rankings_with_integer_scores(place, caplog):
    orders = [Order("NA", "two?", ("p3", "p1", "p2")), Order("gone", "?", ("p1",)), Order("007", "one?", ("1e3",))]
    write_jsonl(place / "orders.jsonl", orders)
    (place / "by-llm.yaml").write_text("kind: ordered\n")
    keywords = {"spec": place / "by-llm.yaml", "orders": place / "orders.jsonl", "queries": place / "q.jsonl"}
    run_orders(**keywords, run=place / "run.trec")
    assert (place / "run.trec").read_text().splitlines() == [
        "007 Q0 1e3 1 1 by-llm", "NA Q0 p3 1 3 by-llm", "NA Q0 p1 2 2 by-llm", "NA Q0 p2 3 1 by-llm",
    ]  # fmt: skip
    assert "1 of 3 queries have no ranking, first 'q3'" in caplog.text
    write_jsonl(place / "orders.jsonl", [Order("NA", "two?", ("p3", "p1", "p3"))])
    with pytest.raises(DataError, match=r"orders\.jsonl: query 'NA' has passage 'p3' twice"):
        run_orders(**keywords, run=place / "again.trec")


SHARED = os.environ.get("SYNTHRANK_SHARED", "")


def rows(path):
    return (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.skipif(not SHARED, reason="reference data: set SYNTHRANK_SHARED")
@pytest.mark.parametrize("year", ["dl19", "dl20"])
@pytest.mark.parametrize(("system", "published"), [
    ("bm25", {"dl19": 0.5058, "dl20": 0.4796}),
    ("tasb", {"dl19": 0.7210, "dl20": 0.6854}),
    ("splade", {"dl19": 0.7308, "dl20": 0.7197}),
])  # fmt: skip
def test_imported_published_runs_have_published_scores(tmp_path, year, system, published):
    folder = Path(SHARED, f"collections/trec-{year}")
    write_jsonl(tmp_path / "p.jsonl", (Passage(row["_id"], row["text"]) for row in rows(folder / "corpus.jsonl")))
    write_jsonl(tmp_path / "q.jsonl", (Query(row["_id"], row["text"]) for row in rows(folder / "queries.jsonl")))
    (tmp_path / "theirs.yaml").write_text(f"kind: recorded\nfile: {system}.trec\n")
    import_run(spec=tmp_path / "theirs.yaml", file=folder / f"runs/{system}.trec", queries=tmp_path / "q.jsonl",
               passages=tmp_path / "p.jsonl", run=tmp_path / "run.trec")  # fmt: skip
    found, qrels = read_run(tmp_path / "run.trec"), read_qrels(folder / "qrels-full.txt")
    values = [value for *_, value in measure_run(found, qrels, ["nDCG@10"], 1)]
    # All four decimals that were published: the recorded runs are the same systems' own, and only their first ten
    # passages count, so the cut at 100 and our order of ties below rank 10 do not change the value.
    assert round(sum(values) / len(values), 4) == published[year]


ORDER = ("p3", "p1", "1e3")
TIED = "".join(f"{query} Q0 {name} {rank} 1.0 x\n" for query in ("007", "NA") for rank, name in enumerate(ORDER, 1))


@pytest.mark.parametrize(
    ("text", "right", "said"),
    [
        (
            TIED,
            {"007": ["1e3", "p1", "p3"], "NA": ["1e3", "p1", "p3"]},
            "the rank column states another order than the scores in 2 of 2 rankings, first query '007'",
        ),
        ("NA Q0 p1 1 2 x\nNA Q0 p2 2 3 x\n", {"NA": ["p2", "p1"]}, "in 1 of 1 rankings, first query 'NA'"),
        ("NA Q0 p1 0 2 x\nNA Q0 p2 1 1 x\n", {"NA": ["p1", "p2"]}, ""),
        ("NA Q0 p2 - 1 x\nNA Q0 p1 - 1 x\n", {"NA": ["p1", "p2"]}, ""),
    ],
)
def test_import_run_orders_by_score_then_id_and_logs_other_ranks(place, caplog, text, right, said):
    caplog.set_level(logging.WARNING)
    assert take(place, text) == right
    found = [record.getMessage() for record in caplog.records if "rank column" in record.getMessage()]
    assert len(found) == bool(said)
    assert said in "".join(found)
