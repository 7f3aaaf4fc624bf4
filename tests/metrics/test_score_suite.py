"""Scoring: every run of the folder, under the name of its system."""

import pytest

from synthrank.errors import DataError
from synthrank.metrics.score_first_stage import score_first_stage
from synthrank.metrics.score_suite import score_suite
from synthrank.scores import Score, read_scores
from synthrank.trec import write_run


@pytest.fixture
def folder(tmp_path):
    for name, extra in (("one", ""), ("one-two", "relevance_level: 2\n"), ("own", "drop_identical_ids: true\n")):
        (tmp_path / f"{name}.yaml").write_text(f"corpus: c\nsplit: test\n{extra}")
    (tmp_path / "qrels.txt").write_text("q1 0 a 1\nq1 0 b 2\nq2 0 a 1\n")
    (tmp_path / "runs").mkdir()
    run = {"q1": [("a", 2.0), ("b", 1.0)]}
    write_run(tmp_path / "runs/one.trec", run, "x")
    write_run(tmp_path / "runs/one+bm25.trec", {"q1": [("b", 1.0), ("a", 0.5)], "q2": [("a", 1.0)]}, "x")
    write_run(tmp_path / "runs/one-two.trec", run, "x")
    return tmp_path


def suite(folder, *testsets, depth="whole", fused="whole"):
    score_suite(runs=folder / "runs", testsets=[folder / f"{name}.yaml" for name in testsets],
                qrels=[folder / "qrels.txt"] * len(testsets), depths=[depth] * len(testsets),
                fused_depths=[fused] * len(testsets), measures=["P@1", "nDCG@10"], ranker="ce", recipe="human",
                llm="none", seed=3, metrics=folder / "m.csv")  # fmt: skip
    return read_scores(folder / "m.csv")


def test_every_run_of_a_suite(folder):
    scores = suite(folder, "one", "one-two")
    assert len(scores) == (2 + 1) * 2 * 2
    assert scores[0] == Score("ce", "human", "none", "3", "one", "P@1", "q1", 1.0)
    values = {(item.ranker, item.testset, item.query_id): item.value for item in scores if item.measure == "P@1"}
    assert values == {
        ("ce", "one", "q1"): 1.0, ("ce", "one", "q2"): 0.0, ("ce+bm25", "one", "q1"): 1.0,
        ("ce+bm25", "one", "q2"): 1.0, ("ce", "one-two", "q1"): 0.0, ("ce", "one-two", "q2"): 0.0,
    }  # fmt: skip


def test_a_missing_run_is_named(folder):
    (folder / "runs/one-two.trec").unlink()
    with pytest.raises(DataError, match=r"runs/one-two\.trec: is missing; expected one run for each"):
        suite(folder, "one", "one-two")


def test_what_looks_deeper_than_the_lists_has_no_value(folder):
    """Its name would say of ten passages what was seen of two."""
    for own, fused, lacking in (
        ("9", "10", {"ce"}),
        ("whole", "9", {"ce+bm25"}),
        ("listed", "listed", {"ce", "ce+bm25"}),
    ):
        scores = suite(folder, "one", depth=own, fused=fused)
        assert {item.ranker for item in scores if item.value is None} == lacking
        assert {item.measure for item in scores if item.value is None} == {"nDCG@10"}
        assert len(scores) == 8, "it is told for every query"
    assert ",nDCG@10,q1,\n" in (folder / "m.csv").read_text()


def first_stage(folder, testset, run, depth="whole"):
    write_run(folder / "first.trec", run, "x")
    score_first_stage(run=folder / "first.trec", testset=folder / f"{testset}.yaml", qrels=folder / "qrels.txt",
                      depth=depth, measures=["P@1"], retriever="bm25", metrics=folder / "f.csv")  # fmt: skip
    return read_scores(folder / "f.csv")


def test_a_first_stage(folder):
    assert first_stage(folder, "one", {"q1": [("a", 1.0)]}) == [
        Score("bm25", "none", "none", "", "one", "P@1", "q1", 1.0),
        Score("bm25", "none", "none", "", "one", "P@1", "q2", 0.0),
    ]
    assert [item.value for item in first_stage(folder, "one-two", {"q1": [("a", 1.0)]})] == [0.0, 0.0]


def test_a_passage_that_is_the_query_itself_may_be_dropped(folder):
    run = {"q1": [("q1", 2.0), ("a", 1.0)]}
    assert first_stage(folder, "one", run)[0].value == 0.0
    assert first_stage(folder, "own", run)[0].value == 1.0
