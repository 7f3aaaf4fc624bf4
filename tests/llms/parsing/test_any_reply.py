"""Readers of replies return a value or a reason for any text, and never raise an error."""

import json

import pytest
from any_reply import check_readers, replies
from hypothesis import given, settings

from synthrank.config.paradigms import Quality
from synthrank.data.records import Reply
from synthrank.llms.bodies import make_valid, parse_json, read_content, read_count
from synthrank.llms.parsing.passage import read_passage
from synthrank.llms.parsing.queries import read_queries
from synthrank.llms.parsing.ranking import read_ranking
from synthrank.llms.parsing.status import Status


@given(replies)
@settings(max_examples=300, deadline=None)
def test_readers_never_raise(text):
    check_readers(text)


@pytest.mark.parametrize(
    "unit",
    ["(", " ", "q ", "level", "level ", "[", "[1", "1 ", "<think>", "</think>", "<answer>", "```", "passage", "a.", ">",
     ".)", "\t", "#", "1. ", "\u3002", "is A ", '{"passage":', "As of my ", "sorry ", "here is my ", "1>"],
)  # fmt: skip
def test_readers_of_endless_repetition_end(unit):
    """A reader that takes quadratic time needs hours for these."""
    for text in (unit * (400_000 // len(unit)), "q" + unit * (200_000 // len(unit)) + "x"):
        check_readers(text)


@pytest.mark.parametrize("text", ['{"passage": ' + "1" * 6000, '{"passage": ' + "1" * 6000 + "}", '{"passage":' * 2000])
def test_digits_and_depth_are_malformed(text):
    assert read_passage(Reply("q", "", 0, text, "stop", 1, 1, "m", {}, ()), Quality()).reason == "malformed"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1. [5]\n2. [4]\n3. [3]\n4. [2]\n5. [1]", [4, 3, 2, 1, 0]),
        ("1. Passage 5\n2. Passage 4\n3. Passage 3\n4. Passage 2\n5. Passage 1", [4, 3, 2, 1, 0]),
        ("1) 5\n2) 4\n3) 3\n4) 2\n5) 1", [4, 3, 2, 1, 0]),
        ("5 passages have been provided. The order is [2] > [1] > [4] > [3] > [5]", [1, 0, 3, 2, 4]),
        ("5 passages have been provided: 2, 1, 4, 3, 5", [1, 0, 3, 2, 4]),
        ("Of 5 passages, [3] and [4] are good. Ranking: [2] > [1] > [4] > [3] > [5]", [1, 0, 3, 2, 4]),
        ("2 > 1 > 4 > 3 > 5", [1, 0, 3, 2, 4]),
        ("5 passages have been provided.", None),
        ("1. The first one\n2. Another one\n3. A third one", None),
        ("Passage 3", [2, 0, 1, 3, 4]),
        ("3", [2, 0, 1, 3, 4]),
    ],
)
def test_read_ranking_reads_only_an_order(text, value):
    assert read_ranking(text, 5).value == value


def test_read_ranking_notes_orders_with_less_than_half_of_the_passages():
    assert "few" in read_ranking("[2]", 3).notes
    assert "few" not in read_ranking("[2] > [1]", 4).notes
    assert "few" in read_ranking("[2] > [1]", 5).notes


@pytest.mark.parametrize(
    "query",
    ["3.5 mm headphone jack", "-40 celsius", "1.5 litre bottle", "*args in python", "'s-Hertogenbosch weather",
     'monitor 27"', "12:30 train to Ulm", "3. Liga table", "[python] sort list", "-v flag of pytest", "2) of the act"],
)  # fmt: skip
def test_read_queries_leaves_a_query_unchanged(query):
    read = read_queries(query)
    assert (read.value, read.status) == ([query], Status.WELL_FORMED)


def test_read_queries_removes_the_marks_of_lists():
    assert read_queries('1. "3.5 mm jack"\n2. -40 celsius\n3. **why**').value == ["3.5 mm jack", "-40 celsius", "why"]
    assert read_queries("- first\n\u2022second").value == ["first", "second"]


@pytest.mark.parametrize(
    ("text", "finish", "expected"),
    [
        ("玫瑰在土壤表层干燥一指深时需要浇水，夏天通常每隔几天浇一次，冬天少得多。", "stop", ""),  # noqa: RUF001
        ("玫瑰在土壤表层干燥一指深时需要浇水，夏天通常每隔几天浇一次。冬天少", "length", ""),  # noqa: RUF001
        ("กุหลาบต้องการน้ำเมื่อดินแห้งลึกหนึ่งนิ้ว ในสวนส่วนใหญ่ทุกสองสามวันในฤดูร้อน", "stop", ""),
        ("玫瑰要水。", "stop", "too-short"),
    ],
)
def test_read_passage_measures_scripts_without_spaces(text, finish, expected):
    assert read_passage(Reply("q", "", 0, text, finish, 1, 1, "m", {}, ()), Quality()).reason == expected


@pytest.mark.parametrize(
    ("value", "count"),
    [(40, 40), (40.0, 40), ("40", 40), (0, 0), (None, None), (True, None), (-1, None), (1.5, None), ("x", None),
     (float("nan"), None), (10**12, None), ([], None), ("1" * 6000, None)],
)  # fmt: skip
def test_read_count_accepts_numbers_and_texts(value, count):
    assert read_count(value) == count


def test_read_content_joins_parts_and_separates_thoughts():
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Bees "},
             "live", {"text": "Hm.", "thought": True}]  # fmt: skip
    assert read_content(parts) == ("Bees live", "Hm.Hm.")
    assert read_content(None) == ("", "")
    deep = "x"
    for _ in range(5000):
        deep = [deep]
    assert read_content(deep) == ("", "")


def test_make_valid_returns_text_that_can_be_written():
    assert make_valid("a\ud83c") == "a\ufffd"
    assert make_valid("\ud83c\udf38") == "\U0001f338"
    assert json.loads(json.dumps(make_valid({"a": "\ud83c"}))) == '{"a": "\ufffd"}'
    assert parse_json("[" * 100_000) is None
