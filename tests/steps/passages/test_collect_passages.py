"""Human positives: ordered by grade, without passages relevant to held-out queries."""

import json

import pytest
from held_out_case import exclude

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Judgment, Passage, Query, WrittenPassage
from synthrank.data.trec import write_qrels
from synthrank.errors import BudgetError
from synthrank.steps.passages.collect_passages import collect_passages


@pytest.fixture
def collect(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(f"p{number}", f"text {number}") for number in range(8)])
    write_jsonl(tmp_path / "q.jsonl", [Query("q2", "two?"), Query("q1", "one?"), Query("q3", "three?")])

    def do(qrels, held_out):
        write_qrels(tmp_path / "qrels.txt", qrels)
        collect_passages(passages=tmp_path / "p.jsonl", queries=tmp_path / "q.jsonl", qrels=tmp_path / "qrels.txt",
                         excluded=exclude(tmp_path, *held_out),
                         positives=tmp_path / "out.jsonl", counts=tmp_path / "out.json")  # fmt: skip
        return (
            list(read_jsonl(tmp_path / "out.jsonl", WrittenPassage)),
            json.loads((tmp_path / "out.json").read_text()),
        )

    return do


QRELS = [
    Judgment("q1", "p3", 1), Judgment("q1", "p2", 2), Judgment("q1", "p1", 1), Judgment("q1", "p0", 0),
    Judgment("q2", "p4", 1), Judgment("q2", "p5", 3), Judgment("q3", "p6", 0),
]  # fmt: skip


def test_collect_passages_orders_by_grade_then_id(collect):
    found, counts = collect(QRELS, [])
    assert found == [
        WrittenPassage("p5", "text 5", "q2", "two?", 3),
        WrittenPassage("p4", "text 4", "q2", "two?", 1),
        WrittenPassage("p2", "text 2", "q1", "one?", 2),
        WrittenPassage("p1", "text 1", "q1", "one?", 1),
        WrittenPassage("p3", "text 3", "q1", "one?", 1),
    ]
    assert counts == {"queries": 3, "passages": 5, "queries_served": 2, "held_out_answers": 0}


def test_collect_passages_leaves_out_and_counts_held_out_answers(collect):
    held_out = [[Judgment("t1", "p5", 1), Judgment("t1", "p4", 0)], [Judgment("d1", "p1", 2), Judgment("d1", "p7", 1)]]
    found, counts = collect(QRELS, held_out)
    assert [item.id for item in found] == ["p4", "p2", "p3"], "p4 is judged, but not relevant, for t1"
    assert counts == {"queries": 3, "passages": 3, "queries_served": 2, "held_out_answers": 2}


def test_collect_passages_without_any_passage_left_is_an_error(collect):
    with pytest.raises(
        BudgetError, match=r"qrels\.txt: every relevant passage is also relevant to a .* answers_may_train: true"
    ):
        collect([Judgment("q1", "p1", 1)], [[Judgment("t", "p1", 1)]])
