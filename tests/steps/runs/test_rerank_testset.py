"""Step rerank_testset: the ranker's run, and its fusion with the first stage by ranks or by scores."""

import json

import pytest

from synthrank.data.files import write_jsonl
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.trec import rank, read_run, write_qrels, write_run
from synthrank.errors import ConfigError
from synthrank.steps.runs import choose_weight as weight_module
from synthrank.steps.runs import rerank_testset as module
from synthrank.steps.runs.choose_weight import choose_weight
from synthrank.steps.runs.rerank_testset import rerank_testset

RERANKER = {
    "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "lambda",
    "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2},
    "rerank": {"retriever": "bm25", "depth": 2, "fusion_k": 10},
}  # fmt: skip
REORDERER = RERANKER | {"architecture": "bi-encoder", "loss": "ranknet"}


class Fake:
    """A ranker that reverses the top of the first stage."""

    def __init__(self):
        self.asked = []

    def rank(self, collection):
        self.asked.append(collection)
        return {query: rank((name, float(place)) for place, (name, _) in enumerate(ranked[: collection.depth]))
                for query, ranked in collection.first_stage.items()}  # fmt: skip


@pytest.fixture
def do(tmp_path, monkeypatch):
    """Return a function that reranks test sets, and returns the runs with the ranker's inputs."""
    fake = Fake()
    for item in (module, weight_module):
        monkeypatch.setattr(item, "open_ranker", lambda spec, checkpoint, seed: fake)
    write_jsonl(tmp_path / "p.jsonl", [Passage("p1", "x"), Passage("p2", "y")])
    write_jsonl(tmp_path / "q.jsonl", [Query("q1", "one?"), Query("007", "two?")])
    extras = {"lakes": "", "quora": "drop_identical_ids: true\n", "deep": "first_stage: splade\ndepth: 3\n"}
    for name, extra in extras.items():
        (tmp_path / f"{name}.yaml").write_text(f"corpus: c\nsplit: test\n{extra}")
    run = {"q1": [("q1", 9.0), ("p1", 8.0), ("p2", 7.0)], "007": [("p2", 2.0)]}
    write_run(tmp_path / "first.trec", run, "x")

    def rerank(spec, *testsets, weight=()):
        (tmp_path / "my-ranker.yaml").write_text(json.dumps(spec))
        runs = {}
        for name in testsets:
            run, fused = tmp_path / f"{name}.trec", tmp_path / f"{name}+first-stage.trec"
            rerank_testset(
                checkpoint=tmp_path, ranker=tmp_path / "my-ranker.yaml", seed=1, testset=tmp_path / f"{name}.yaml",
                passages=tmp_path / "p.jsonl", queries=tmp_path / "q.jsonl", first_stage=tmp_path / "first.trec",
                weight=list(weight), shard="1-of-1", run=run, fused=fused,
            )  # fmt: skip
            runs |= {name: read_run(run), f"{name}+": read_run(fused)}
        return runs, fake.asked

    return rerank


def names(run):
    return {query: [name for name, _ in ranked] for query, ranked in run.items()}


def tag(path):
    return path.read_text().splitlines()[0].split()[-1]


def test_rerank_testset_also_writes_a_fused_run(do, tmp_path):
    runs, _ = do(RERANKER, "lakes")
    assert names(runs["lakes"]) == {"q1": ["p1", "q1"], "007": ["p2"]}
    fused = dict(runs["lakes+"]["q1"])
    assert fused == pytest.approx({"p1": 1 / 11 + 1 / 12, "q1": 1 / 12 + 1 / 11, "p2": 1 / 13}, rel=1e-6)
    assert tag(tmp_path / "lakes.trec") == "my-ranker"
    assert tag(tmp_path / "lakes+first-stage.trec") == "my-ranker+bm25"
    assert list(runs["lakes+"]) == ["q1", "007"], "rankings are in the order of the queries"


def test_rerank_testset_mixes_scores_with_the_chosen_weight(do, tmp_path):
    write_qrels(tmp_path / "qrels.txt", [Judgment("q1", "q1", 1), Judgment("007", "p2", 1)])
    mixed = {**RERANKER, "rerank": {**RERANKER["rerank"], "mix": {"corpus": "c", "weights": [0.25, 0.75, 1.0]}}}
    (tmp_path / "my-ranker.yaml").write_text(json.dumps(mixed))
    weight = tmp_path / "weight.json"
    split = tmp_path / "corpora/c/dev"
    split.mkdir(parents=True)
    queries = (tmp_path / "q.jsonl").rename(split / "queries.jsonl")
    (tmp_path / "q.jsonl").symlink_to(queries)
    development = [queries, *(tmp_path / name for name in ("qrels.txt", "p.jsonl", "first.trec"))]
    choose_weight(
        checkpoint=tmp_path, ranker=tmp_path / "my-ranker.yaml", seed=1, development=development, weight=weight
    )
    record = json.loads(weight.read_text())
    assert (record["weight"], record["queries"], record["measure"]) == (0.25, 2, "nDCG@10")
    runs, _ = do(mixed, "lakes", weight=[weight])
    assert names(runs["lakes"])["q1"] == ["p1", "q1"], "the reranker reverses its two passages"
    expected = [("q1", 0.5), ("p1", -0.5), ("p2", -1.5)]
    assert runs["lakes+"]["q1"] == expected, "0.75 of +-1 less 0.25 of +-1; p2 was not reordered"


def test_rerank_testset_uses_first_stage_and_depth_of_the_test_set(do, tmp_path):
    runs, asked = do(RERANKER, "lakes", "deep")
    assert [item.depth for item in asked] == [2, 3]
    assert names(runs["lakes"])["q1"] == ["p1", "q1"]
    assert names(runs["deep"])["q1"] == ["p2", "p1", "q1"]
    assert tag(tmp_path / "deep+first-stage.trec") == "my-ranker+splade"


def test_rerank_testset_fuses_a_bi_encoder(do):
    runs, asked = do(REORDERER, "lakes", "deep")
    assert all(runs[f"{name}+"] for name in ("lakes", "deep"))
    assert all(item.first_stage for item in asked)


def test_rerank_testset_drops_identical_ids_before_the_depth(do):
    runs, asked = do(RERANKER, "lakes", "quora")
    assert names(runs["quora"]) == {"q1": ["p2", "p1"], "007": ["p2"]}
    assert "q1" not in dict(runs["quora+"]["q1"])
    assert [dict(item.first_stage["q1"]).keys() for item in asked] == [{"q1", "p1", "p2"}, {"p1", "p2"}]
    assert asked[0].queries == (Query("q1", "one?"), Query("007", "two?"))


def test_choose_weight_refuses_a_ranker_without_mix(do, tmp_path):
    (tmp_path / "my-ranker.yaml").write_text(json.dumps(RERANKER))
    with pytest.raises(
        ConfigError, match=r"my-ranker\.yaml: rerank\.mix is missing; only a ranker with rerank\.mix needs"
    ):
        choose_weight(checkpoint=tmp_path, ranker=tmp_path / "my-ranker.yaml", seed=1, development=[],
                      weight=tmp_path / "weight.json")  # fmt: skip
