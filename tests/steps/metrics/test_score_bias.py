"""Bias: measure one run per wording; passages of the other wording count as not relevant."""

import math

import pytest

from synthrank.data.scores import Score, read_scores
from synthrank.data.trec import write_run
from synthrank.errors import ConfigError
from synthrank.steps.metrics.score_bias import score_bias
from synthrank.steps.metrics.score_first_stage_bias import score_first_stage_bias

QRELS = "q1 0 a 2\nq1 0 a@llm 2\nq1 0 b 1\nq1 0 b@llm 1\nq2 0 c 1\nq2 0 c@llm 1\nq3 0 d 1\nq3 0 d@llm 1\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mixed.yaml").write_text("source: mixed\ncorpus: c\nparadigm: llm\nsplits: {test: test}\n")
    (tmp_path / "plain.yaml").write_text("source: beir\nfolder: c\nsplits: {test: t.tsv}\n")
    (tmp_path / "one.yaml").write_text("corpus: mixed\nsplit: test\n")
    (tmp_path / "qrels.txt").write_text(QRELS)
    run = {"q1": [("a@llm", 4.0), ("b", 3.0), ("a", 2.0)], "q2": [("c", 2.0), ("c@llm", 1.0)]}
    write_run(tmp_path / "alone.trec", run, "x")
    write_run(tmp_path / "fused.trec", {"q2": [("c@llm", 2.0)]}, "x")
    return tmp_path


def score(folder, corpus="mixed", measure="nDCG@10"):
    score_bias(runs=[folder / "alone.trec", folder / "fused.trec"], systems=["ce", "ce+bm25"],
               testset=folder / "one.yaml", corpus=folder / f"{corpus}.yaml", qrels=folder / "qrels.txt",
               measure=measure, recipe="human", llm="none", seed=3, metrics=folder / "m.csv")  # fmt: skip
    return read_scores(folder / "m.csv")


def test_score_bias_matches_values_computed_by_hand(folder):
    scores = score(folder)
    values = {(item.measure, item.query_id): item.value for item in scores if item.ranker == "ce"}
    ideal = 2 + 1 / math.log2(3)
    assert values == {
        ("nDCG@10 human", "q1"): pytest.approx((1 / math.log2(3) + 2 / math.log2(4)) / ideal, abs=1e-4),
        ("nDCG@10 rewritten", "q1"): pytest.approx(2 / ideal, abs=1e-4),
        ("nDCG@10 human", "q2"): 1.0,
        ("nDCG@10 rewritten", "q2"): pytest.approx(1 / math.log2(3), abs=1e-4),
        ("nDCG@10 human", "q3"): 0.0,
        ("nDCG@10 rewritten", "q3"): 0.0,
    }
    assert {(item.ranker, item.recipe, item.llm, item.seed, item.testset) for item in scores} == {
        ("ce", "human", "none", "3", "one"), ("ce+bm25", "human", "none", "3", "one"),
    }  # fmt: skip
    fused = {(item.measure, item.query_id): item.value for item in scores if item.ranker == "ce+bm25"}
    assert fused["nDCG@10 rewritten", "q2"] == 1.0
    assert sum(fused.values()) == 1.0


def test_score_first_stage_bias_writes_both_wordings(folder):
    run = {"q1": [("a", 1.0)], "q2": [("c@llm", 1.0)]}
    write_run(folder / "first.trec", run, "x")
    score_first_stage_bias(run=folder / "first.trec", testset=folder / "one.yaml", corpus=folder / "mixed.yaml",
                           qrels=folder / "qrels.txt", measure="P@1", retriever="bm25",
                           metrics=folder / "f.csv")  # fmt: skip
    expected = {"human": [1.0, 0.0, 0.0], "rewritten": [0.0, 1.0, 0.0]}
    assert read_scores(folder / "f.csv") == [
        Score("bm25", "none", "none", "", "one", f"P@1 {wording}", f"q{place}", value)
        for wording, values in expected.items()
        for place, value in enumerate(values, 1)
    ]


def test_score_bias_refuses_a_corpus_that_is_not_mixed(folder):
    with pytest.raises(
        ConfigError, match=r"plain\.yaml: source: got 'beir'; bias is measured only on corpora with source mixed"
    ):
        score(folder, corpus="plain")
