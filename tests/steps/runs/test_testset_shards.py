"""Runs of test sets with tiny models do not depend on the number of shards."""

import json
from pathlib import Path

import pytest
from tiny_models import SENTENCES

from synthrank.config.base import load
from synthrank.config.rankers import RankerSpec
from synthrank.config.testsets import TestsetSpec
from synthrank.data.files import write_jsonl
from synthrank.data.records import Passage, Query
from synthrank.data.trec import read_run, write_run
from synthrank.errors import ConfigError, DataError, ShardError
from synthrank.rankers import candidates
from synthrank.rankers.cosine import open_encoder
from synthrank.steps.runs.concatenate_testset import concatenate_testset
from synthrank.steps.runs.encode_collection import encode_collection
from synthrank.steps.runs.rerank_testset import rerank_testset
from synthrank.steps.runs.search_testset import search_testset
from synthrank.vectors import exact_search as nearest
from synthrank.vectors import store as encodings
from synthrank.vectors.store import read_encodings

pytestmark = pytest.mark.usefixtures("one_thread")

RERANKER = {
    "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 32, "loss": "lambda",
    "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2},
    "rerank": {"retriever": "bm25", "depth": 4, "fusion_k": 10},
}  # fmt: skip
REORDERER = RERANKER | {"architecture": "bi-encoder", "loss": "ranknet"}
SEARCHER = {key: value for key, value in REORDERER.items() if key != "rerank"} | {"depth": 5}
NAMES = ["NA", "p1", "1e3", "007", *(f"d{place}" for place in range(6)), "q2"]
"""One passage has the id of a query."""
QUERIES = {
    "lakes": ["q1", "007", "q2", "q3", "q4", "q5", "q6"],
    "quora": ["q2", "q9", "q8"],
    "cooks": ["c1", "c2"],
}
CORPORA = {"lakes": "water", "quora": "water", "cooks": "food"}


def text(name: str) -> str:
    return f"{SENTENCES[sum(map(ord, name)) % 10]} {name}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for corpus, sentences in (("water", SENTENCES), ("food", SENTENCES[:3])):
        write_jsonl(tmp_path / f"{corpus}.jsonl", [Passage(*pair) for pair in zip(NAMES, sentences, strict=False)])
    for name, asked in QUERIES.items():
        extra = "drop_identical_ids: true\n" if name == "quora" else "first_stage: splade\n" * (name == "cooks")
        (tmp_path / f"{name}.yaml").write_text(f"corpus: {CORPORA[name]}\nsplit: test\n{extra}")
        write_jsonl(tmp_path / f"{name}-q.jsonl", [Query(item, text(item)) for item in asked])
        names = NAMES[:3] if name == "cooks" else NAMES
        # q3 has no ranking, q8 has one candidate, and the best candidate of q2 has the id q2.
        lists = {
            item: [(passage, -float((place + turn) % 7)) for place, passage in enumerate(names)]
            for turn, item in enumerate(asked)
            if item != "q3"
        }
        if name == "quora":
            lists["q2"] = [("q2", 9.0), ("p1", 2.0), ("1e3", 1.0)]
            lists["q8"] = [("007", 1.0)]
        write_run(tmp_path / f"{name}.trec", lists, "x")
    return tmp_path


def given(folder: Path, spec: dict, name: str) -> dict:
    """Return the options of a test set that both steps share."""
    (folder / "mine.yaml").write_text(json.dumps(spec))
    return {"ranker": folder / "mine.yaml", "testset": folder / f"{name}.yaml", "queries": folder / f"{name}-q.jsonl"}


def shards_of(count: int) -> list[str]:
    return [f"{number}-of-{count}" for number in range(1, count + 1)]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "runs").iterdir())}


def reranked(folder: Path, spec: dict, model: Path, count: int, tests=(*QUERIES,)) -> dict[str, bytes]:
    """Return the runs of test sets that were reranked in ``count`` shards."""
    for name in tests:
        common = given(folder, spec, name) | {"first_stage": folder / f"{name}.trec"}
        job = common | {"checkpoint": model, "seed": 5, "passages": folder / f"{CORPORA[name]}.jsonl", "weight": []}
        whole = {"run": folder / f"runs/{name}.trec", "fused": folder / f"runs/{name}+first-stage.trec"}
        shards = shards_of(count)
        if count == 1:
            rerank_testset(**job, **whole, shard=shards[0])
            continue
        runs, fused = ([folder / shard / path.name for shard in shards] for path in whole.values())
        for shard, run, mixed in zip(shards, runs, fused, strict=True):
            rerank_testset(**job, shard=shard, run=run, fused=mixed)
        concatenate_testset(**common, **whole, shards=runs, fused_shards=fused)
    return files(folder)


def encoded(folder: Path, model: Path, name: str, count: int) -> list[Path]:
    """Return the vectors of a test set's corpus that was encoded in ``count`` shards."""
    folders = [folder / "vectors" / CORPORA[name] / shard for shard in shards_of(count)]
    passages_as = load(TestsetSpec, folder / f"{name}.yaml").passages_as
    for path in folders:
        encode_collection(checkpoint=model, ranker=folder / "mine.yaml", passages=folder / f"{CORPORA[name]}.jsonl",
                          passages_as=passages_as, shard=path.name, vectors=path)  # fmt: skip
    return folders


def searched(folder: Path, model: Path, count: int = 0, spec: dict = SEARCHER) -> dict[str, bytes]:
    """Return the runs of test sets whose corpora were encoded in ``count`` shards; 0 to encode while searching."""
    for name in QUERIES:
        common = given(folder, spec, name)
        search_testset(**common, checkpoint=model, passages=folder / f"{CORPORA[name]}.jsonl",
                       vectors=encoded(folder, model, name, count), run=folder / f"runs/{name}.trec")  # fmt: skip
    return files(folder)


def names(path: Path) -> dict[str, list[str]]:
    return {query: [name for name, _ in ranked] for query, ranked in read_run(path).items()}


def test_rerank_testset_of_a_cross_encoder_does_not_depend_on_shards(folder, encoder, monkeypatch):
    """With a real model, the bytes are equal: two queries of four candidates are scored together in one shard."""
    monkeypatch.setattr(candidates, "PAIRS_AT_ONCE", 8)
    whole = reranked(folder, RERANKER, encoder, 1)
    assert set(whole) == {f"{name}{suffix}.trec" for name in QUERIES for suffix in ("", "+first-stage")}
    assert reranked(folder, RERANKER, encoder, 3) == whole
    held = [len(read_run(folder / f"{number}-of-3/lakes.trec")) for number in (1, 2, 3)]
    assert held == [2, 2, 2]
    assert [len(read_run(folder / f"{number}-of-3/cooks.trec")) for number in (1, 2, 3)] == [0, 0, 2], "one unit"
    assert reranked(folder, RERANKER, encoder, 9) == whole, "more shards than queries"
    found = names(folder / "runs/lakes.trec")
    assert list(found) == ["q1", "007", "q2", "q4", "q5", "q6"], "in the order of the queries; q3 has no list"
    assert list(names(folder / "runs/lakes+first-stage.trec")) == list(found)
    assert {len(ranked) for ranked in found.values()} == {4}
    assert {len(ranked) for ranked in names(folder / "runs/lakes+first-stage.trec").values()} == {11}, (
        "the whole first stage"
    )


@pytest.mark.parametrize(("spec", "jobs"), [(SEARCHER, 0), (SEARCHER, 1), (REORDERER, 1)])
def test_search_testset_uses_the_query_prefix_for_passages_as_queries(folder, encoder, spec, jobs):
    """One of two test sets of a corpus uses the prefix of queries for passages too."""

    def runs(stated: dict) -> dict[str, bytes]:
        if spec is SEARCHER:
            return searched(folder, encoder, jobs, spec | stated)
        return reranked(folder, spec | stated, encoder, jobs)

    prefixes = {"query_prefix": "search for the river: ", "passage_prefix": "bread: "}
    plain, stated = runs({}), runs(prefixes)
    as_queries = runs(prefixes | {"passage_prefix": prefixes["query_prefix"]})
    quora = folder / "quora.yaml"
    quora.write_text(quora.read_text() + "passages_as: queries\n")
    found = runs(prefixes)
    assert len({plain["quora.trec"], stated["quora.trec"], as_queries["quora.trec"]}) == 3
    assert found["quora.trec"] == as_queries["quora.trec"]
    assert found["lakes.trec"] == stated["lakes.trec"]
    assert runs({}) == plain


def test_rerank_testset_of_a_bi_encoder_differs_by_rounding_only(folder, encoder):
    """It encodes each candidate once per shard: the order is equal, and scores are within 1e-6."""
    reranked(folder, REORDERER, encoder, 1)
    whole = {path.name: read_run(path) for path in (folder / "runs").iterdir()}
    reranked(folder, REORDERER, encoder, 3)
    assert {path.name for path in (folder / "runs").iterdir()} == set(whole)
    for name, run in whole.items():
        found = read_run(folder / "runs" / name)
        assert names(folder / "runs" / name) == {query: [item for item, _ in ranked] for query, ranked in run.items()}
        for query, ranked in run.items():
            assert dict(found[query]) == pytest.approx(dict(ranked), abs=1e-6)


def test_search_testset_does_not_depend_on_shards(folder, encoder, monkeypatch):
    """The bytes are equal: passages that are encoded together are in the same shard, and blocks have the same ends."""
    monkeypatch.setattr(encodings, "TOGETHER", 2)
    monkeypatch.setattr(nearest, "PASSAGES_AT_ONCE", 2)
    whole = searched(folder, encoder)
    assert set(whole) == {"lakes.trec", "quora.trec", "cooks.trec"}, "vectors are deleted"
    for count in (1, 3, 9):  # 9 shards are more than the passages
        assert searched(folder, encoder, count) == whole
    assert [len(read_encodings(path)) for path in encoded(folder, encoder, "lakes", 3)] == [4, 4, 3]
    found = names(folder / "runs/lakes.trec")
    assert list(found) == QUERIES["lakes"]
    assert {len(ranked) for ranked in found.values()} == {5}
    assert {len(ranked) for ranked in names(folder / "runs/cooks.trec").values()} == {3}, (
        "the corpus has fewer passages than the depth"
    )
    assert (folder / "runs/lakes.trec").read_text().splitlines()[0].endswith(" mine")


def test_search_testset_finds_the_nearest_passages(folder, encoder):
    """The blocks are larger than the corpus."""
    searched(folder, encoder, 2)
    model = open_encoder(load(RankerSpec, folder / "mine.yaml"), encoder)
    passages = model.passages(SENTENCES[: len(NAMES)])
    asked = model.queries([text(name) for name in QUERIES["lakes"]])
    for query, scores in zip(QUERIES["lakes"], asked @ passages.T, strict=True):
        best = sorted(zip(-scores, NAMES, strict=False))[:5]
        ranked = read_run(folder / "runs/lakes.trec")[query]
        assert [name for name, _ in ranked] == [name for _, name in best]
        assert [score for _, score in ranked] == pytest.approx([-score for score, _ in best], abs=1e-6)


def test_search_testset_sorts_ties_by_id_across_shards(folder, encoder, monkeypatch):
    """Scores are made strict after shards are merged; otherwise the next shard's best would pass a shard's second."""
    monkeypatch.setattr(encodings, "TOGETHER", 2)
    monkeypatch.setattr(nearest, "PASSAGES_AT_ONCE", 2)
    write_jsonl(folder / "water.jsonl", [Passage(name, "The river rises.") for name in NAMES[:10]])
    searched(folder, encoder, 2)
    assert set(map(tuple, names(folder / "runs/lakes.trec").values())) == {tuple(sorted(NAMES[:10])[:5])}


def test_search_testset_drops_identical_ids(folder, encoder):
    searched(folder, encoder, 2, SEARCHER | {"depth": 20})
    assert {len(ranked) for ranked in names(folder / "runs/lakes.trec").values()} == {11}
    found = names(folder / "runs/quora.trec")
    assert set(found["q2"]) == {*NAMES} - {"q2"}
    assert set(found["q9"]) == {*NAMES}
    reranked(folder, RERANKER, encoder, 2)
    for name in ("quora.trec", "quora+first-stage.trec"):
        found = names(folder / "runs" / name)
        assert set(found["q2"]) == {"p1", "1e3"}
        assert found["q8"] == ["007"]


@pytest.mark.parametrize("name", ["lakes.trec", "lakes+first-stage.trec"])
def test_concatenate_testset_names_a_short_shard(folder, encoder, monkeypatch, name):
    monkeypatch.setattr(candidates, "PAIRS_AT_ONCE", 8)
    before = reranked(folder, RERANKER, encoder, 3, tests=["lakes"])
    path = folder / "2-of-3" / name
    first = read_run(path).popitem()[0]
    path.write_text("".join(line for line in path.open() if not line.startswith(f"{first} ")))
    job = given(folder, RERANKER, "lakes") | {"first_stage": folder / "lakes.trec", "run": folder / "runs/lakes.trec"}
    job |= {"fused": folder / "runs/lakes+first-stage.trec"}
    job |= {"shards": [folder / shard / "lakes.trec" for shard in shards_of(3)]}
    job |= {"fused_shards": [folder / shard / "lakes+first-stage.trec" for shard in shards_of(3)]}
    with pytest.raises(
        ShardError, match=r"2-of-3/lakes.*\.trec: 1 rows; expected 2 for shard 2 of 3 of 6 rows; delete it"
    ):
        concatenate_testset(**job)
    path.unlink()
    with pytest.raises(DataError, match=r"2-of-3/lakes.*\.trec: cannot be read"):
        concatenate_testset(**job)
    assert files(folder) == before, "existing files are unchanged"


def test_search_testset_names_vectors_of_other_shards(folder, encoder, monkeypatch):
    monkeypatch.setattr(encodings, "TOGETHER", 2)
    job = given(folder, SEARCHER, "lakes") | {"checkpoint": encoder, "passages": folder / "water.jsonl"}
    vectors = encoded(folder, encoder, "lakes", 3)
    for wrong, message in (
        (
            [vectors[2], *vectors[:2]],
            r"3-of-3: 3 rows; expected 4 for shard 1 of 3 of 11 rows; delete it and run again",
        ),
        (vectors[:2], r"1-of-3: 4 rows; expected 6 for shard 1 of 2 of 11 rows; delete it and run again"),
    ):
        with pytest.raises(ShardError, match=message):
            search_testset(**job, vectors=wrong, run=folder / "other.trec")
    assert not (folder / "other.trec").exists()


def test_steps_of_test_sets_refuse_the_other_kind_of_ranker(folder, encoder):
    run, fused = folder / "runs/lakes.trec", folder / "runs/lakes+first-stage.trec"
    common = given(folder, SEARCHER, "lakes") | {"first_stage": folder / "lakes.trec", "run": run, "fused": fused}
    with pytest.raises(ConfigError, match=r"mine\.yaml: rerank is missing"):
        rerank_testset(**common, checkpoint=encoder, seed=1, passages=folder / "water.jsonl", weight=[], shard="1-of-1")
    with pytest.raises(ConfigError, match=r"mine\.yaml: rerank is missing"):
        concatenate_testset(**common, shards=[], fused_shards=[])
    common = given(folder, RERANKER, "lakes") | {"checkpoint": encoder, "passages": folder / "water.jsonl"}
    with pytest.raises(ConfigError, match=r"mine\.yaml: architecture: got 'cross-encoder'"):
        search_testset(**common, vectors=[], run=run)
    with pytest.raises(ConfigError, match=r"mine\.yaml: architecture: got 'cross-encoder'"):
        encoded(folder, encoder, "lakes", 1)
    assert not run.parent.exists()
