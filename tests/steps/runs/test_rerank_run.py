"""Steps rerank_run and concatenate_run, with one shard and with several."""

import json

import pytest

from synthrank.config.base import validate
from synthrank.config.rankers import RankerSpec
from synthrank.data.files import write_jsonl
from synthrank.data.records import Passage, Query
from synthrank.data.trec import read_run, write_run
from synthrank.errors import ShardError
from synthrank.rankers import candidates, open_ranker
from synthrank.rankers.base import Collection
from synthrank.steps.runs import rerank_run as module
from synthrank.steps.runs.concatenate_run import concatenate_run
from synthrank.steps.runs.rerank_run import rerank_run

RETRIEVER = {"kind": "reranked", "retriever": "bm25", "ranker": "r", "recipe": "warm-up", "seed": 5, "depth": 3}
RANKER = {
    "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 32, "loss": "lambda",
    "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2},
    "rerank": {"retriever": "dense", "depth": 2, "fusion_k": 7},
}  # fmt: skip
QUERIES = [Query("007", "How do bees dance?"), Query("NA", "Why does it rain?"), Query("q3", "Nothing found")]
PASSAGES = {
    "p1": "The spider follows links.", "p2": "Bees dance to tell the hive where flowers are.", "p3": "Rain falls.",
    "p4": "The river rises in the mountains.", "p5": "Bread needs flour.",
}  # fmt: skip
FIRST = {
    "other": [("p1", 1.0)],
    "NA": [("p3", 2.0), ("p1", 1.0)],
    "007": [("p5", 5.0), ("p4", 4.0), ("p3", 3.0), ("p2", 2.0), ("p1", 1.0)],
}


@pytest.fixture
def rerank(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(name, text) for name, text in PASSAGES.items()])
    write_jsonl(tmp_path / "q.jsonl", QUERIES)
    write_run(tmp_path / "first.trec", FIRST, "bm25")
    (tmp_path / "bm25-r.yaml").write_text(json.dumps(RETRIEVER))
    (tmp_path / "r.yaml").write_text(json.dumps(RANKER))

    def do(checkpoint, count=1):
        given = {"spec": tmp_path / "bm25-r.yaml", "queries": tmp_path / "q.jsonl",
                 "first_stage": tmp_path / "first.trec"}  # fmt: skip
        run, names = tmp_path / "reranked.trec", [f"{number}-of-{count}" for number in range(1, count + 1)]
        shards = [tmp_path / f"shards/{name}.trec" for name in names] if count > 1 else [run]
        for name, path in zip(names, shards, strict=True):
            rerank_run(**given, ranker=tmp_path / "r.yaml", checkpoint=checkpoint, passages=tmp_path / "p.jsonl",
                       shard=name, run=path)  # fmt: skip
        if count > 1:
            concatenate_run(**given, shards=shards, run=run)
        return read_run(tmp_path / "reranked.trec")

    return do


def names(run):
    return {query: [name for name, _ in ranked] for query, ranked in run.items()}


class Turned:
    """A ranker that reverses the candidates."""

    def rank(self, collection):
        self.collection = collection
        return {
            query.id: [(name, float(place)) for place, (name, _) in enumerate(collection.first_stage[query.id])]
            for query in collection.queries
            if query.id in collection.first_stage
        }


def test_rerank_run_uses_depth_and_seed_of_the_retriever(rerank, tmp_path, monkeypatch):
    asked, ranker = [], Turned()
    monkeypatch.setattr(module, "open_ranker", lambda *arguments: asked.append(arguments) or ranker)
    run = rerank(tmp_path / "checkpoint")
    assert names(run) == {"007": ["p3", "p4", "p5"], "NA": ["p1", "p3"]}
    assert list(run) == ["007", "NA"], "rankings are in the order of the queries"
    assert (tmp_path / "reranked.trec").read_text().splitlines()[0].endswith(" bm25-r")
    ((spec, checkpoint, seed),) = asked
    assert (checkpoint, seed) == (tmp_path / "checkpoint", 5)
    stated = validate(RankerSpec, RANKER, "r.yaml")
    assert spec.rerank == stated.rerank.model_copy(update={"depth": 3}), "deeper than the ranker's own"
    assert spec.model_copy(update={"rerank": stated.rerank}) == stated
    assert ranker.collection.queries == tuple(QUERIES)
    assert ranker.collection.passages == tmp_path / "p.jsonl"


@pytest.mark.usefixtures("one_thread")
def test_rerank_run_gives_the_ranking_of_the_model(rerank, tmp_path, encoder):
    """With a cross-encoder whose head the seed initialises, the run equals the ranker's own ranking."""
    run = rerank(encoder)
    tops = {query: ranked[:3] for query, ranked in FIRST.items() if query != "other"}
    model = open_ranker(validate(RankerSpec, RANKER | {"rerank": {"retriever": "x", "depth": 99}}, "r"), encoder, 5)
    expected = model.rank(Collection(tuple(QUERIES), tmp_path / "p.jsonl", tops))
    assert names(run) == names(expected)
    assert dict(run["007"]) == pytest.approx(dict(expected["007"]), abs=1e-5)
    assert {query: set(ranked) for query, ranked in names(run).items()} == {
        "007": {"p5", "p4", "p3"},
        "NA": {"p3", "p1"},
    }


@pytest.mark.usefixtures("one_thread")
def test_rerank_run_does_not_depend_on_the_number_of_shards(rerank, tmp_path, encoder, monkeypatch, caplog):
    """The bytes are equal: rankings that are scored together are in the same shard."""
    rerank(encoder)
    whole = (tmp_path / "reranked.trec").read_bytes()
    assert rerank(encoder, 3)
    assert "1 of 3 queries have no ranking, first 'q3'" in caplog.text
    assert (tmp_path / "reranked.trec").read_bytes() == whole
    assert [len(read_run(tmp_path / f"shards/{number}-of-3.trec")) for number in (1, 2, 3)] == [0, 0, 2]
    monkeypatch.setattr(candidates, "PAIRS_AT_ONCE", 1)
    rerank(encoder)
    whole = (tmp_path / "reranked.trec").read_bytes()
    rerank(encoder, 3)
    assert (tmp_path / "reranked.trec").read_bytes() == whole
    assert [list(read_run(tmp_path / f"shards/{number}-of-3.trec")) for number in (1, 2, 3)] == [[], ["007"], ["NA"]]
    (tmp_path / "shards/2-of-3.trec").write_text("")
    with pytest.raises(
        ShardError, match=r"shards/2-of-3\.trec: 0 rows; expected 1 for shard 2 of 3 of 2 rows; delete it and run again"
    ):
        concatenate_run(
            spec=tmp_path / "bm25-r.yaml",
            queries=tmp_path / "q.jsonl",
            first_stage=tmp_path / "first.trec",
            shards=[tmp_path / f"shards/{number}-of-3.trec" for number in (1, 2, 3)],
            run=tmp_path / "reranked.trec",
        )
    assert (tmp_path / "reranked.trec").read_bytes() == whole
