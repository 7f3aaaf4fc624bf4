"""Step count_answers: count training passages that answer test queries by id."""

import json

import pytest

from synthrank.data.files import write_jsonl
from synthrank.data.records import Candidate, Group, Query
from synthrank.errors import DataError
from synthrank.steps.validity.count_answers import count_answers


def test_count_answers_counts_distinct_relevant_positives(tmp_path):
    groups = [
        Group("q1", "x", (Candidate("a", "t", 1.0), Candidate("n", "u", 0.0))),
        Group("q2", "y", (Candidate("a", "t", 1.0), Candidate("b", "v", 2.0))),
        Group("q3", "z", (Candidate("c", "w", 1.0),)),
    ]
    write_jsonl(tmp_path / "groups.jsonl", groups)
    (tmp_path / "one.txt").write_text("t1 0 a 1\nt2 0 a 2\nt2 0 n 1\nt1 0 b 0\n")  # n is a negative, b irrelevant
    (tmp_path / "two.txt").write_text("t1 0 b 1\nt2 0 c 1\n")
    write_jsonl(tmp_path / "one.jsonl", [Query("t1", "What?"), Query("q9", " X  "), Query("q1", "why")])
    write_jsonl(tmp_path / "two.jsonl", [Query("t1", "z?")])

    def count():
        count_answers(data=tmp_path / "groups.jsonl", testsets=["one", "two"],
                      queries=[tmp_path / "one.jsonl", tmp_path / "two.jsonl"],
                      qrels=[tmp_path / "one.txt", tmp_path / "two.txt"], counts=tmp_path / "answers.json")  # fmt: skip

    count()
    assert json.loads((tmp_path / "answers.json").read_text()) == {
        "passages": 3,
        "testsets": {"one": 1, "two": 2},
        "queries": {"one": 1, "two": 0},  # counts the words of q1 with the id q9, not other words with the id q1
    }
    (tmp_path / "answers.json").unlink()
    write_jsonl(tmp_path / "two.jsonl", [Query("t1", "z?"), Query("q2", "Y"), Query("q3", "z")])
    with pytest.raises(
        DataError, match=r"groups\.jsonl: contains 2 of the 3 queries of test set 'two', the first 'q2'; "
    ):
        count()
    assert not (tmp_path / "answers.json").exists()
