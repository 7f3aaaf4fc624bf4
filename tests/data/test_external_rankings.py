"""External rankings: every published format is read, and other content is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from synthrank.data.external_rankings import query_id_of, read_orders
from synthrank.data.records import Order
from synthrank.data.trec import read_run, write_run
from synthrank.errors import ConfigError, DataError

SHARED = os.environ.get("SYNTHRANK_SHARED", "")


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


RECORD = {
    "query": "what is it?",
    "positive_passages": [{"docid": "z", "text": "?"}],
    "retrieved_passages": [{"docid": "b", "text": "two"}, {"docid": "a", "text": "one"}],
}


def test_read_orders_of_a_run_sorts_by_score(tmp_path: Path) -> None:
    path = tmp_path / "x.trec"
    path.write_text("q2 Q0 a 1 1.0 t\nq1 Q0 c 9 2.0 t\nq2 Q0 b 2 3.0 t\nq1 Q0 b 1 2.0 t\n")
    assert list(read_orders(path, "trec")) == [Order("q2", "", ("b", "a")), Order("q1", "", ("b", "c"))]


def test_read_orders_of_ids_uses_the_given_keys(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "x.jsonl",
        {"qid": "q1", "query": "what?", "windows": [{"response": "[2] > [1]"}], "final": ["b", "a"]},
        {"qid": 2, "final": [3, "c"], "order": ["x"]},
    )
    assert list(read_orders(path, "ids")) == [Order("q1", "what?", ("b", "a")), Order("2", "", ("3", "c"))]
    path = lines(path, {"name": "q1", "best": ["c"], "qid": 5, "final": ["d"]})
    assert list(read_orders(path, "ids", query_key="name", order_key="best")) == [Order("q1", "", ("c",))]


def test_read_orders_of_records_has_texts_and_ids_from_the_query(tmp_path: Path) -> None:
    path = lines(tmp_path / "x.jsonl", RECORD, {**RECORD, "query": " what  is\tit? "}, {**RECORD, "query": "other"})
    first, second, third = read_orders(path, "records")
    assert first == Order(query_id_of("what is it?"), "what is it?", ("b", "a"), ("two", "one"))
    assert second.query_id == first.query_id != third.query_id
    assert second.query == " what  is\tit? "


def test_query_id_of_is_the_same_on_every_machine() -> None:
    assert query_id_of("what is it?") == "a192afb8cc0ee06d"


def test_read_orders_of_records_uses_query_id_if_present(tmp_path: Path) -> None:
    path = lines(tmp_path / "x.jsonl", {**RECORD, "query_id": "q9"}, {**RECORD, "query_id": 4})
    assert [order.query_id for order in read_orders(path, "records")] == ["q9", "4"]


# Parquet, the format of the published distillation set

PASSAGES = pyarrow.list_(pyarrow.struct([("docid", pyarrow.string()), ("text", pyarrow.string())]))
SCHEMA = pyarrow.schema(
    [("query", pyarrow.string()), ("positive_passages", PASSAGES), ("retrieved_passages", PASSAGES)]
)


def parquet(path: Path, *rows: Any, group: int = 1000) -> Path:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=SCHEMA), path, row_group_size=group)
    return path


def test_read_orders_of_parquet_equals_json_lines(tmp_path: Path) -> None:
    rows = [{**RECORD, "query": f"question {number}?"} for number in range(700)]
    for group in (1, 64, 1000):
        path = parquet(tmp_path / "x.parquet", *rows, group=group)
        assert list(read_orders(path, "records")) == list(read_orders(lines(tmp_path / "x.jsonl", *rows), "records"))


def test_read_orders_streams_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthrank.data.external_rankings.ROWS", 2)
    bad = {**RECORD, "retrieved_passages": []}
    orders = read_orders(parquet(tmp_path / "x.parquet", RECORD, RECORD, RECORD, bad, group=1000), "records")
    assert [next(orders).query for _ in range(3)] == [RECORD["query"]] * 3
    with pytest.raises(DataError, match=r"x\.parquet: row 4: retrieved_passages is empty"):
        next(orders)


def test_read_orders_gives_padding_unique_ids(tmp_path: Path) -> None:
    padded = [{"docid": "b", "text": "two"}, *[{"docid": None, "text": "<padding_passage>"}] * 2]
    path = parquet(tmp_path / "x.parquet", {**RECORD, "retrieved_passages": padded})
    assert next(read_orders(path, "records")).ids == ("b", "<padding_passage>@1", "<padding_passage>@2")


def test_read_orders_refuses_cut_parquet_and_other_columns(tmp_path: Path) -> None:
    whole = parquet(tmp_path / "x.parquet", RECORD).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        DataError, match=r"cut\.parquet: after row 0: not parquet \(.*\); the file may be incomplete"
    ) as caught:
        list(read_orders(tmp_path / "cut.parquet", "records"))
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"x\.parquet: row 1: has no final, keys are query, positive_passages, retri"):
        list(read_orders(tmp_path / "x.parquet", "ids"))


def test_read_orders_accepts_repeated_queries_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('\n{"qid": "1", "final": ["a"]}\n\n{"qid": "1", "final": ["b"]}\n')
    assert [order.ids for order in read_orders(path, "ids")] == [("a",), ("b",)]


def test_read_orders_streams_json_lines(tmp_path: Path) -> None:
    path = lines(tmp_path / "x.jsonl", {"qid": "1", "final": ["a"]}, {"qid": "2"})
    orders = read_orders(path, "ids")
    assert next(orders) == Order("1", "", ("a",))
    with pytest.raises(DataError, match=r"x\.jsonl:2: has no final, keys are qid$"):
        next(orders)


@pytest.mark.parametrize(
    ("format", "row", "message"),
    [
        ("ids", {"qid": "1", "final": ["a", "b", "a"]}, r"x:2: query 1: passage a occurs twice; expected distinct"),
        ("ids", {"qid": "1", "final": []}, r"x:2: final is empty; expected a list of passages, best first$"),
        ("ids", {"qid": "1", "final": "a b"}, r"x:2: final is a JSON str; expected a list of passages, best first$"),
        ("ids", {"qid": "1", "final": ["a", None]}, r"x:2: final\[1\] is None; expected an id"),
        ("ids", {"qid": "1", "final": ["a", True]}, r"x:2: final\[1\] is True; expected an id"),
        ("ids", {"qid": "1", "final": ["a", 1.5]}, r"x:2: final\[1\] is 1\.5; expected an id"),
        ("ids", {"qid": "1", "final": ["a b"]}, r"x:2: final\[0\] is 'a b'; expected an id, a text without"),
        ("ids", {"qid": "", "final": ["a"]}, r"x:2: qid is ''; expected an id"),
        ("ids", {"qid": "1", "query": 3, "final": ["a"]}, r"x:2: query is 3; expected a text$"),
        ("ids", {"final": ["a"]}, r"x:2: has no qid, keys are final$"),
        ("ids", {"qid": "1", "hits": []}, r"x:2: has no final, keys are qid, hits$"),
        ("ids", ["1", "a"], r"x:2: a JSON list; expected an object$"),
        ("records", {"query": "q"}, r"x:2: has no retrieved_passages, keys are query$"),
        ("records", {**RECORD, "retrieved_passages": []}, r"x:2: retrieved_passages is empty"),
        ("records", {**RECORD, "retrieved_passages": ["a"]}, r"x:2: retrieved_passages\[0\]: a JSON str; exp"),
        (
            "records",
            {**RECORD, "retrieved_passages": [{"docid": "a"}]},
            r"x:2: retrieved_passages\[0\]: has no text, keys are docid$",
        ),
        ("records", {**RECORD, "query": None}, r"x:2: query is None; expected a text$"),
    ],
)  # fmt: skip
def test_read_orders_names_the_place_of_an_error(tmp_path: Path, format: str, row: Any, message: str) -> None:
    good = {"ids": {"qid": "0", "final": ["a"]}, "records": RECORD}
    path = lines(tmp_path / "x", good[format], row)
    with pytest.raises(DataError, match=message) as caught:
        list(read_orders(path, format))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("format", "text", "message"),
    [
        ("trec", '{"qid": "1", "final": ["a"]}\n', r"x:1: 4 columns; a run line has six"),
        ("trec", "q Q0 a 1 2.0 t\nq Q0 a 2 1.0 t\n", r"x:2: passage a is listed twice for query q$"),
        ("ids", "q Q0 a 1 2.0 t\n", r"x:1: not JSON \(.*\); expected one object per line$"),
        ("records", '["[2] > [1]", "[1] > [2]"]', r"x:1: a JSON list; expected an object$"),
        *((format, "", rf"x: no query found; expected a file in the format {format}$")
          for format in ("trec", "ids", "records")),
    ],
)  # fmt: skip
def test_read_orders_refuses_another_format(tmp_path: Path, format: str, text: str, message: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(DataError, match=message):
        list(read_orders(tmp_path / "x", format))


def test_read_orders_refuses_missing_files_unknown_formats_and_encodings(tmp_path: Path) -> None:
    for format in ("trec", "ids"):
        with pytest.raises(DataError, match=r"nosuch: cannot be read"):
            list(read_orders(tmp_path / "nosuch", format))
    with pytest.raises(ConfigError, match=r"unknown format 'csv' \(known: ids, records, trec\)$"):
        list(read_orders(tmp_path / "nosuch", "csv"))
    (tmp_path / "x").write_bytes(b'{"qid": "caf\xe9", "final": ["a"]}\n')
    with pytest.raises(DataError, match=r"x:1: byte 13 of the line is not UTF-8"):
        list(read_orders(tmp_path / "x", "ids"))


@pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED does not name the shared collections")
def test_recorded_rankings_are_permutations_of_the_first_stage(tmp_path: Path) -> None:
    """Each recorded ranking of the sliding window contains exactly the passages of its first stage."""
    for case in json.loads(Path(SHARED, "golden/sliding-window/cases.json").read_text()):
        first = read_run(Path(SHARED, "golden/sliding-window", case["first_stage"]))
        orders = list(read_orders(Path(SHARED, "golden/sliding-window", case["file"]), "ids"))
        assert len(orders) == case["queries"]
        for order in orders:
            assert set(order.ids) == {name for name, _ in first[order.query_id][:100]}
    write_run(tmp_path / "x.trec", {"q": [(name, -place) for place, name in enumerate(orders[0].ids)]}, "x")
    assert next(read_orders(tmp_path / "x.trec", "trec")).ids == orders[0].ids


def test_read_orders_logs_a_run_whose_ranks_state_another_order(tmp_path, caplog):
    """Labels follow the order, so a run with equal scores would teach the order of the ids."""
    (tmp_path / "x").write_text("q Q0 b 1 1.0 x\nq Q0 a 2 1.0 x\n")
    assert [order.ids for order in read_orders(tmp_path / "x", "trec")] == [("a", "b")]
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'x'}: the rank column states another order than the scores in 1 of 1 rankings, first query 'q'; "
        "the scores decide, and equal scores are ordered by passage id"
    ]


def test_read_orders_logs_unknown_keys_once(tmp_path, caplog):
    (tmp_path / "x").write_text('{"qid": "1", "final": ["a"], "note": 1}\n' * 2)
    assert len(list(read_orders(tmp_path / "x", "ids"))) == 2
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'x'}: 1 unknown keys, which are not read: 'note' (2 lines)"
    ]
