"""Steps score_testset and score_first_stage: scores per run, under the name of the system."""

import pytest

from synthrank.data.scores import Score, read_scores
from synthrank.data.trec import write_run
from synthrank.errors import DataError
from synthrank.steps.metrics.score_first_stage import score_first_stage
from synthrank.steps.metrics.score_testset import score_testset


@pytest.fixture
def folder(tmp_path):
    for name, extra in (("one", ""), ("one-two", "relevance_level: 2\n"), ("own", "drop_identical_ids: true\n")):
        (tmp_path / f"{name}.yaml").write_text(f"corpus: c\nsplit: test\n{extra}")
    (tmp_path / "qrels.txt").write_text("q1 0 a 1\nq1 0 b 2\nq2 0 a 1\n")
    write_run(tmp_path / "alone.trec", {"q1": [("a", 2.0), ("b", 1.0)]}, "x")
    write_run(tmp_path / "fused.trec", {"q1": [("b", 1.0), ("a", 0.5)], "q2": [("a", 1.0)]}, "x")
    return tmp_path


def score(folder, testset, depths=("whole", "whole")):
    score_testset(runs=[folder / "alone.trec", folder / "fused.trec"], systems=["ce", "ce+bm25"],
                  testset=folder / f"{testset}.yaml", qrels=folder / "qrels.txt", depths=list(depths),
                  measures=["P@1", "nDCG@10"], recipe="human", llm="none", seed=3,
                  metrics=folder / "m.csv")  # fmt: skip
    return read_scores(folder / "m.csv")


def test_score_testset_scores_every_run(folder):
    scores = score(folder, "one")
    assert len(scores) == 2 * 2 * 2
    assert scores[0] == Score("ce", "human", "none", "3", "one", "P@1", "q1", 1.0)
    values = {(item.ranker, item.query_id): item.value for item in scores if item.measure == "P@1"}
    assert values == {("ce", "q1"): 1.0, ("ce", "q2"): 0.0, ("ce+bm25", "q1"): 1.0, ("ce+bm25", "q2"): 1.0}
    values = {(item.ranker, item.query_id): item.value for item in score(folder, "one-two") if item.measure == "P@1"}
    assert values == {("ce", "q1"): 0.0, ("ce", "q2"): 0.0, ("ce+bm25", "q1"): 1.0, ("ce+bm25", "q2"): 0.0}, (
        "relevance_level is 2"
    )


def test_score_testset_names_a_missing_run(folder):
    (folder / "fused.trec").unlink()
    with pytest.raises(DataError, match=r"fused\.trec: cannot be read"):
        score(folder, "one")


def test_score_testset_gives_no_value_beyond_the_depth(folder):
    for own, fused, lacking in (
        ("9", "10", {"ce"}),
        ("whole", "9", {"ce+bm25"}),
        ("listed", "listed", {"ce", "ce+bm25"}),
    ):
        scores = score(folder, "one", depths=(own, fused))
        assert {item.ranker for item in scores if item.value is None} == lacking
        assert {item.measure for item in scores if item.value is None} == {"nDCG@10"}
        assert len(scores) == 8, "a row per query"
    assert ",nDCG@10,q1,\n" in (folder / "m.csv").read_text()


def first_stage(folder, testset, run, depth="whole"):
    write_run(folder / "first.trec", run, "x")
    score_first_stage(run=folder / "first.trec", testset=folder / f"{testset}.yaml", qrels=folder / "qrels.txt",
                      depth=depth, measures=["P@1"], retriever="bm25", metrics=folder / "f.csv")  # fmt: skip
    return read_scores(folder / "f.csv")


def test_score_first_stage_uses_the_relevance_level(folder):
    assert first_stage(folder, "one", {"q1": [("a", 1.0)]}) == [
        Score("bm25", "none", "none", "", "one", "P@1", "q1", 1.0),
        Score("bm25", "none", "none", "", "one", "P@1", "q2", 0.0),
    ]
    assert [item.value for item in first_stage(folder, "one-two", {"q1": [("a", 1.0)]})] == [0.0, 0.0]


def test_score_first_stage_drops_identical_ids(folder):
    run = {"q1": [("q1", 2.0), ("a", 1.0)]}
    assert first_stage(folder, "one", run)[0].value == 0.0
    assert first_stage(folder, "own", run)[0].value == 1.0
