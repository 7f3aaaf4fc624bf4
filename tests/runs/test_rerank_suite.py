"""A suite that is reordered: one folder with a run for each test set, and its fusion with the first stage."""

import json

import pytest

from synthrank.files import write_jsonl
from synthrank.records import Judgment, Passage, Query
from synthrank.runs import rerank_suite as module
from synthrank.runs.gather_suite import gather_suite
from synthrank.runs.rerank_suite import rerank_suite
from synthrank.trec import rank, read_run, write_qrels, write_run

RERANKER = {
    "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "lambda",
    "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2},
    "rerank": {"retriever": "bm25", "depth": 2, "fusion_k": 10},
}  # fmt: skip
REORDERER = RERANKER | {"architecture": "bi-encoder", "loss": "ranknet"}


class Fake:
    """Turns the top of the first stage round."""

    def __init__(self):
        self.asked = []

    def rank(self, collection):
        self.asked.append(collection)
        return {query: rank((name, float(place)) for place, (name, _) in enumerate(ranked[: collection.depth]))
                for query, ranked in collection.first_stage.items()}  # fmt: skip


@pytest.fixture
def suite(tmp_path, monkeypatch):
    fake = Fake()
    monkeypatch.setattr(module, "open_ranker", lambda spec, checkpoint, seed: fake)
    write_jsonl(tmp_path / "p.jsonl", [Passage("p1", "x"), Passage("p2", "y")])
    write_jsonl(tmp_path / "q.jsonl", [Query("q1", "one?"), Query("007", "two?")])
    extras = {"lakes": "", "quora": "drop_identical_ids: true\n", "deep": "first_stage: splade\ndepth: 3\n"}
    for name, extra in extras.items():
        (tmp_path / f"{name}.yaml").write_text(f"corpus: c\nsplit: test\n{extra}")
    run = {"q1": [("q1", 9.0), ("p1", 8.0), ("p2", 7.0)], "007": [("p2", 2.0)]}
    write_run(tmp_path / "first.trec", run, "x")

    def do(spec, *testsets, development=()):
        (tmp_path / "my-ranker.yaml").write_text(json.dumps(spec))
        given = {
            "ranker": tmp_path / "my-ranker.yaml", "testsets": [tmp_path / f"{name}.yaml" for name in testsets],
            "queries": [tmp_path / "q.jsonl"] * len(testsets),
            "first_stages": [tmp_path / "first.trec"] * len(testsets),
        }  # fmt: skip
        rerank_suite(**given, checkpoint=tmp_path, seed=1, passages=[tmp_path / "p.jsonl"] * len(testsets),
                     development=list(development), shard="1-of-1", lists=tmp_path / "shards/1-of-1")  # fmt: skip
        gather_suite(
            **given, development=list(development), shards=[tmp_path / "shards/1-of-1"], runs=tmp_path / "runs"
        )
        return {path.name: read_run(path) for path in (tmp_path / "runs").glob("*.trec")}, fake.asked

    return do


def names(run):
    return {query: [name for name, _ in ranked] for query, ranked in run.items()}


def test_a_reranker_gets_a_fused_run_too(suite, tmp_path):
    runs, _ = suite(RERANKER, "lakes")
    assert set(runs) == {"lakes.trec", "lakes+bm25.trec"}
    assert names(runs["lakes.trec"]) == {"q1": ["p1", "q1"], "007": ["p2"]}
    fused = dict(runs["lakes+bm25.trec"]["q1"])
    assert fused == pytest.approx({"p1": 1 / 11 + 1 / 12, "q1": 1 / 12 + 1 / 11, "p2": 1 / 13}, rel=1e-6)
    assert (tmp_path / "runs/lakes.trec").read_text().splitlines()[0].endswith(" my-ranker")
    assert (tmp_path / "runs/lakes+bm25.trec").read_text().splitlines()[0].endswith(" my-ranker+bm25")


def test_scores_are_mixed_by_the_weight_that_is_best_on_the_development_split(suite, tmp_path):
    write_qrels(tmp_path / "qrels.txt", [Judgment("q1", "q1", 1), Judgment("007", "p2", 1)])
    mixed = {**RERANKER, "rerank": {**RERANKER["rerank"], "mix": {"corpus": "c", "weights": [0.25, 0.75, 1.0]}}}
    development = [tmp_path / name for name in ("q.jsonl", "qrels.txt", "p.jsonl", "first.trec")]
    runs, asked = suite(mixed, "lakes", development=development)
    assert len(asked) == 2, "the development split is reordered by the same job"
    assert names(runs["lakes.trec"])["q1"] == ["p1", "q1"], "the reranker turns its two passages round"
    fused = runs["lakes+bm25.trec"]["q1"]
    assert fused == [("q1", 0.5), ("p1", -0.5), ("p2", -1.5)], "0.75 of +-1 less 0.25 of +-1; p2 was not reordered"
    told = json.loads((tmp_path / "runs/weight.json").read_text())
    assert (told["weight"], told["queries"], told["measure"]) == (0.25, 2, "nDCG@10")


def test_a_test_set_may_name_its_own_first_stage_and_depth(suite, tmp_path):
    runs, asked = suite(RERANKER, "lakes", "deep")
    assert set(runs) == {"lakes.trec", "lakes+bm25.trec", "deep.trec", "deep+splade.trec"}
    assert [item.depth for item in asked] == [2, 3]
    assert names(runs["lakes.trec"])["q1"] == ["p1", "q1"]
    assert names(runs["deep.trec"])["q1"] == ["p2", "p1", "q1"]
    assert (tmp_path / "runs/deep+splade.trec").read_text().splitlines()[0].endswith(" my-ranker+splade")


def test_a_bi_encoder_that_reorders_is_fused_too(suite):
    runs, asked = suite(REORDERER, "lakes", "deep")
    assert set(runs) == {"lakes.trec", "lakes+bm25.trec", "deep.trec", "deep+splade.trec"}
    assert all(item.first_stage for item in asked)


def test_a_passage_that_is_the_query_itself_is_dropped_before_the_depth_counts(suite):
    runs, asked = suite(RERANKER, "lakes", "quora")
    assert names(runs["quora.trec"]) == {"q1": ["p2", "p1"], "007": ["p2"]}
    assert "q1" not in dict(runs["quora+bm25.trec"]["q1"])
    assert [dict(item.first_stage["q1"]).keys() for item in asked] == [{"q1", "p1", "p2"}, {"p1", "p2"}]
    assert asked[0].queries == (Query("q1", "one?"), Query("007", "two?"))
