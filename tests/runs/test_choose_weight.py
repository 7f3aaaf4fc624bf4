"""The weight of a reranker's score is the best one of its grid on the development split."""

import json

import ir_measures
import pytest

from synthrank.errors import BudgetError, ConfigError
from synthrank.files import write_jsonl
from synthrank.records import Judgment, Passage, Query
from synthrank.runs import choose_weight as module
from synthrank.runs.choose_weight import choose_weight
from synthrank.trec import rank, write_qrels, write_run

RANKER = {
    "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "lce",
    "optimiser": {"learning_rate": 1.0, "epochs": 1, "batch_size": 1},
    "rerank": {"retriever": "bm25", "depth": 3, "mix": {"corpus": "c", "weights": [0.0, 0.25, 0.5, 0.75, 1.0]}},
}  # fmt: skip
FIRST = {"q1": [("a", 9.0), ("b", 8.0), ("c", 1.0), ("d", 0.5)], "q2": [("b", 5.0), ("a", 4.5), ("c", 0.1)]}
OURS = {"q1": {"a": 0.0, "b": 0.6, "c": 1.0}, "q2": {"a": 1.0, "b": 0.5, "c": 0.0}}


class Fake:
    def rank(self, collection):
        return {query.id: rank(OURS[query.id].items()) for query in collection.queries}


@pytest.fixture
def choose(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "open_ranker", lambda spec, checkpoint, seed: Fake())
    folder = tmp_path / "c/dev"
    folder.mkdir(parents=True)
    write_jsonl(folder / "queries.jsonl", [Query("q1", "one?"), Query("q2", "two?"), Query("q3", "not judged?")])
    write_jsonl(tmp_path / "p.jsonl", [Passage(name, name) for name in "abcd"])
    write_run(tmp_path / "first.trec", FIRST, "bm25")

    def do(relevant=(("q1", "b"), ("q2", "a")), **changed):
        write_qrels(folder / "qrels.txt", [Judgment(query, passage, 1) for query, passage in relevant])
        spec = {**RANKER, "rerank": {**RANKER["rerank"], **changed}}
        (tmp_path / "ce.yaml").write_text(json.dumps(spec))
        choose_weight(checkpoint=tmp_path, ranker=tmp_path / "ce.yaml", seed=1, queries=folder / "queries.jsonl",
                      qrels=folder / "qrels.txt", passages=tmp_path / "p.jsonl", first_stage=tmp_path / "first.trec",
                      weight=tmp_path / "weight.json")  # fmt: skip
        return json.loads((tmp_path / "weight.json").read_text())

    return do


def test_the_best_weight_on_the_development_split_is_chosen(choose):
    made = choose()
    # Both put another passage before b of q1, each its own; the reranker alone has a of q2 first.
    values = {trial["weight"]: trial["value"] for trial in made["trials"]}
    assert made["weight"] == 0.25
    assert values[0.25] == values[0.5] == 1.0
    assert values[made["weight"]] > max(values[0.0], values[1.0])
    assert (made["split"], made["queries"], made["measure"], made["depth"]) == ("c/dev", 2, "nDCG@10", 3)


def test_a_weight_of_nothing_measures_the_first_stage(choose):
    values = {trial["weight"]: trial["value"] for trial in choose()["trials"]}
    qrels = {"q1": {"b": 1}, "q2": {"a": 1}}
    for weight, run in ((0.0, {query: dict(ranked) for query, ranked in FIRST.items()}), (1.0, OURS)):
        expected = ir_measures.calc_aggregate([ir_measures.nDCG @ 10], qrels, run)
        assert values[weight] == pytest.approx(expected[ir_measures.nDCG @ 10])


def test_of_equal_weights_the_lowest_is_chosen(choose):
    assert choose(relevant=[("q2", "nothing")])["weight"] == 0.0


def test_a_split_without_judgments_and_a_ranker_that_mixes_nothing_are_refused(choose):
    with pytest.raises(
        BudgetError, match=r"qrels\.txt: no query of .*queries\.jsonl is judged; no weight can be chosen"
    ):
        choose(relevant=[("other", "a")])
    with pytest.raises(ConfigError, match=r"ce\.yaml: rerank\.mix: is missing"):
        choose(mix=None)
