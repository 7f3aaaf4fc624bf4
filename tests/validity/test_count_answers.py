"""Training passages that answer test queries are counted by their ids."""

import json

from synthrank.files import write_jsonl
from synthrank.records import Candidate, Group
from synthrank.validity.count_answers import count_answers


def test_distinct_positives_that_are_relevant_to_a_test_query_count_once(tmp_path):
    groups = [
        Group("q1", "x", (Candidate("a", "t", 1.0), Candidate("n", "u", 0.0))),
        Group("q2", "y", (Candidate("a", "t", 1.0), Candidate("b", "v", 2.0))),
        Group("q3", "z", (Candidate("c", "w", 1.0),)),
    ]
    write_jsonl(tmp_path / "groups.jsonl", groups)
    (tmp_path / "one.txt").write_text("t1 0 a 1\nt2 0 a 2\nt2 0 n 1\nt1 0 b 0\n")  # n is a negative, b irrelevant
    (tmp_path / "two.txt").write_text("t1 0 b 1\nt2 0 c 1\n")
    count_answers(data=tmp_path / "groups.jsonl", testsets=["one", "two"],
                  qrels=[tmp_path / "one.txt", tmp_path / "two.txt"], counts=tmp_path / "answers.json")  # fmt: skip
    assert json.loads((tmp_path / "answers.json").read_text()) == {"passages": 3, "testsets": {"one": 1, "two": 2}}
