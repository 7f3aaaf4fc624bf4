"""Suites by tiny models: whatever the number of jobs that shared the work, the same folder of runs."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import SENTENCES

from synthrank import encodings, nearest
from synthrank.errors import ConfigError, DataError, ShardError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.rankers import candidates
from synthrank.rankers.cosine import open_encoder
from synthrank.records import Passage, Query, ScoredList
from synthrank.runs import merge_suite as merge_module
from synthrank.runs.gather_suite import gather_suite
from synthrank.runs.merge_suite import merge_suite
from synthrank.runs.rerank_suite import rerank_suite
from synthrank.runs.search_suite import search_suite
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec
from synthrank.trec import read_run, write_run

pytestmark = pytest.mark.usefixtures("one_thread")

RERANKER = {
    "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 32, "loss": "lambda",
    "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2},
    "rerank": {"retriever": "bm25", "depth": 4, "fusion_k": 10},
}  # fmt: skip
REORDERER = RERANKER | {"architecture": "bi-encoder", "loss": "ranknet"}
SEARCHER = {key: value for key, value in REORDERER.items() if key != "rerank"} | {"depth": 5}
NAMES = ["NA", "p1", "1e3", "007", *(f"d{place}" for place in range(6)), "q2"]
"""One passage bears the name of a query."""
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
        # No list for q3; one of q8's two candidates alone, and q2's best is itself.
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


def suite(folder: Path, spec: dict, *tests: str) -> dict:
    (folder / "mine.yaml").write_text(json.dumps(spec))
    return {
        "ranker": folder / "mine.yaml",
        "testsets": [folder / f"{name}.yaml" for name in tests],
        "queries": [folder / f"{name}-q.jsonl" for name in tests],
    }


def reranked(folder: Path, spec: dict, model: Path, count: int, tests=("lakes", "quora", "cooks")) -> dict[str, bytes]:
    """Return the files of a suite that so many jobs reordered."""
    given = suite(folder, spec, *tests) | {"first_stages": [folder / f"{name}.trec" for name in tests]}
    passages = [folder / f"{CORPORA[name]}.jsonl" for name in tests]
    shards = [folder / f"{number}-of-{count}" for number in range(1, count + 1)]
    for shard in shards:
        rerank_suite(
            **given, checkpoint=model, seed=5, passages=passages, development=[], shard=shard.name, lists=shard
        )
    gather_suite(**given, development=[], shards=shards, runs=folder / "runs")
    return {path.name: path.read_bytes() for path in (folder / "runs").iterdir()}


def searched(folder: Path, model: Path, count: int, spec: dict = SEARCHER) -> dict[str, bytes]:
    """Return the files of a suite that so many jobs searched."""
    tests = ("lakes", "quora", "cooks")
    given = suite(folder, spec, *tests) | {"passages": [folder / f"{CORPORA[name]}.jsonl" for name in tests]}
    shards = [folder / f"{number}-of-{count}" for number in range(1, count + 1)]
    for shard in shards:
        search_suite(**given, checkpoint=model, shard=shard.name, lists=shard)
    merge_suite(**given, shards=shards, runs=folder / "runs")
    return {path.name: path.read_bytes() for path in (folder / "runs").iterdir()}


def lists_of(path: Path) -> list[ScoredList]:
    return list(read_jsonl(path, ScoredList))


def names(path: Path) -> dict[str, list[str]]:
    return {query: [name for name, _ in ranked] for query, ranked in read_run(path).items()}


def test_a_cross_encoders_runs_do_not_depend_on_the_number_of_shards(folder, encoder, monkeypatch):
    """Byte for byte, with a real model: two queries of four candidates are scored together, and stay together."""
    monkeypatch.setattr(candidates, "PAIRS_AT_ONCE", 8)
    whole = reranked(folder, RERANKER, encoder, 1)
    assert set(whole) == {
        f"{name}{suffix}.trec"
        for name, first in (("lakes", "bm25"), ("quora", "bm25"), ("cooks", "splade"))
        for suffix in ("", f"+{first}")
    }
    assert reranked(folder, RERANKER, encoder, 3) == whole
    held = [len(read_run(folder / f"{number}-of-3/lakes.trec")) for number in (1, 2, 3)]
    assert held == [2, 2, 2]
    assert [len(read_run(folder / f"{number}-of-3/cooks.trec")) for number in (1, 2, 3)] == [0, 0, 2], "one unit"
    assert reranked(folder, RERANKER, encoder, 9) == whole, "more shards than queries"
    found = names(folder / "runs/lakes.trec")
    assert list(found) == ["q1", "007", "q2", "q4", "q5", "q6"], "in the order of the queries; q3 has no list"
    assert list(names(folder / "runs/lakes+bm25.trec")) == sorted(found)
    assert {len(ranked) for ranked in found.values()} == {4}
    assert {len(ranked) for ranked in names(folder / "runs/lakes+bm25.trec").values()} == {11}, "the whole first stage"


@pytest.mark.parametrize("spec", [SEARCHER, REORDERER])
def test_passages_that_are_questions_get_the_prefix_of_queries(folder, encoder, spec):
    """Of two test sets of a collection one has the prefix of queries on both sides."""

    def runs(stated: dict) -> dict[str, bytes]:
        if spec is SEARCHER:
            return searched(folder, encoder, 1, spec | stated)
        return reranked(folder, spec | stated, encoder, 1)

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


def test_a_bi_encoder_that_reorders_differs_in_the_last_digit_at_most(folder, encoder):
    """It encodes each candidate once, with those of its shard: the same order, and scores alike to 1e-6."""
    reranked(folder, REORDERER, encoder, 1)
    whole = {path.name: read_run(path) for path in (folder / "runs").iterdir()}
    reranked(folder, REORDERER, encoder, 3)
    assert {path.name for path in (folder / "runs").iterdir()} == set(whole)
    for name, run in whole.items():
        found = read_run(folder / "runs" / name)
        assert names(folder / "runs" / name) == {query: [item for item, _ in ranked] for query, ranked in run.items()}
        for query, ranked in run.items():
            assert dict(found[query]) == pytest.approx(dict(ranked), abs=1e-6)


def test_a_searchers_runs_do_not_depend_on_the_number_of_shards(folder, encoder, monkeypatch):
    """Byte for byte: passages that are encoded together stay together, and blocks end where they end in one shard."""
    monkeypatch.setattr(encodings, "TOGETHER", 2)
    monkeypatch.setattr(merge_module, "TOGETHER", 2)
    monkeypatch.setattr(nearest, "PASSAGES_AT_ONCE", 2)
    whole = searched(folder, encoder, 1)
    assert set(whole) == {"lakes.trec", "quora.trec", "cooks.trec"}
    assert searched(folder, encoder, 3) == whole
    assert sorted(path.name for path in (folder / "2-of-3").iterdir()) == [
        "cooks.jsonl", "lakes.jsonl", "quora.jsonl",
    ], "no vectors stay"  # fmt: skip
    held = [[len(found.ids) for found in lists_of(folder / f"{number}-of-3/lakes.jsonl")] for number in (1, 2, 3)]
    assert held == [[4] * 7, [4] * 7, [3] * 7]
    assert searched(folder, encoder, 9) == whole, "more shards than passages"
    found = names(folder / "runs/lakes.trec")
    assert list(found) == QUERIES["lakes"]
    assert {len(ranked) for ranked in found.values()} == {5}
    assert {len(ranked) for ranked in names(folder / "runs/cooks.trec").values()} == {3}, "a collection that is smaller"
    assert (folder / "runs/lakes.trec").read_text().splitlines()[0].endswith(" mine")


def test_a_search_finds_the_nearest(folder, encoder):
    """By the vectors themselves, in blocks larger than the collection."""
    searched(folder, encoder, 2)
    model = open_encoder(load(RankerSpec, folder / "mine.yaml"), encoder)
    passages = model.passages(SENTENCES[: len(NAMES)])
    asked = model.queries([text(name) for name in QUERIES["lakes"]])
    for query, scores in zip(QUERIES["lakes"], asked @ passages.T, strict=True):
        best = sorted(zip(-scores, NAMES, strict=False))[:5]
        ranked = read_run(folder / "runs/lakes.trec")[query]
        assert [name for name, _ in ranked] == [name for _, name in best]
        assert [score for _, score in ranked] == pytest.approx([-score for score, _ in best], abs=1e-6)


def test_equal_scores_go_by_id_across_shards(folder, monkeypatch):
    """A shard's scores are as computed: had it made them strict, the next shard's best would pass its second."""
    monkeypatch.setattr(merge_module, "TOGETHER", 2)
    shards = [folder / "1-of-2", folder / "2-of-2"]
    for shard, held in zip(shards, (NAMES[:6], NAMES[6:]), strict=True):
        shard.mkdir()
        best = tuple(sorted(held)[:5])
        write_jsonl(shard / "lakes.jsonl", [ScoredList(name, best, (1.0,) * 5) for name in QUERIES["lakes"]])
    given = suite(folder, SEARCHER, "lakes") | {"passages": [folder / "water.jsonl"]}
    merge_suite(**given, shards=shards, runs=folder / "runs")
    assert set(map(tuple, names(folder / "runs/lakes.trec").values())) == {tuple(sorted(NAMES)[:5])}


def test_the_passage_that_is_the_query_is_dropped(folder, encoder):
    searched(folder, encoder, 2, SEARCHER | {"depth": 20})
    assert {len(ranked) for ranked in names(folder / "runs/lakes.trec").values()} == {11}
    found = names(folder / "runs/quora.trec")
    assert set(found["q2"]) == {*NAMES} - {"q2"}
    assert set(found["q9"]) == {*NAMES}
    shutil.rmtree(folder / "runs")
    reranked(folder, RERANKER, encoder, 2)
    for name in ("quora.trec", "quora+bm25.trec"):
        found = names(folder / "runs" / name)
        assert set(found["q2"]) == {"p1", "1e3"}
        assert found["q8"] == ["007"]


@pytest.mark.parametrize("name", ["lakes.trec", "lakes+bm25.trec"])
def test_a_short_share_is_named(folder, encoder, monkeypatch, name):
    monkeypatch.setattr(candidates, "PAIRS_AT_ONCE", 8)
    reranked(folder, RERANKER, encoder, 3)
    path = folder / "2-of-3" / name
    first = read_run(path).popitem()[0]
    path.write_text("".join(line for line in path.open() if not line.startswith(f"{first} ")))
    given = suite(folder, RERANKER, "lakes") | {"first_stages": [folder / "lakes.trec"]}
    shards = [folder / f"{number}-of-3" for number in (1, 2, 3)]
    before = (folder / "runs/quora.trec").read_bytes()
    with pytest.raises(ShardError, match=r"2-of-3/lakes.*\.trec: 1 rows; shard 2 of 3 of 6 has 2: delete it"):
        gather_suite(**given, development=[], shards=shards, runs=folder / "runs")
    path.unlink()
    with pytest.raises(DataError, match=r"2-of-3/lakes.*\.trec: cannot be read"):
        gather_suite(**given, development=[], shards=shards, runs=folder / "runs")
    assert (folder / "runs/quora.trec").read_bytes() == before, "what was there stays"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lists: lists[:-1], "query q6 has no list in its place: delete it, run again"),
        (lambda lists: [lists[1], lists[0], *lists[2:]], "query q1 has no list in its place: del"),
        (lambda lists: [*lists, lists[0]], "there are more lists than queries: delete it, run again"),
        (lambda lists: [replace(lists[0], ids=lists[0].ids[1:]), *lists[1:]], "query q1: 4 passages; expected 5, "),
        (lambda lists: [replace(lists[0], scores=lists[0].scores[1:]), *lists[1:]], "query q1: 5 passages; expected 5"),
    ],
)
def test_a_share_with_other_lists_is_named(folder, encoder, change, said):
    searched(folder, encoder, 2)
    path = folder / "2-of-2/lakes.jsonl"
    write_jsonl(path, change(lists_of(path)))
    given = suite(folder, SEARCHER, "lakes") | {"passages": [folder / "water.jsonl"]}
    with pytest.raises(ShardError, match=rf"2-of-2/lakes\.jsonl: {said}"):
        merge_suite(**given, shards=[folder / "1-of-2", folder / "2-of-2"], runs=folder / "other")
    assert not (folder / "other").exists()


def test_a_ranker_of_the_other_sort_is_refused(folder, encoder):
    given = suite(folder, SEARCHER, "lakes") | {"first_stages": [folder / "lakes.trec"]}
    with pytest.raises(ConfigError, match=r"mine\.yaml: rerank: is missing"):
        rerank_suite(**given, checkpoint=encoder, seed=1, passages=[folder / "water.jsonl"], development=[],
                     shard="1-of-1", lists=folder / "lists")  # fmt: skip
    with pytest.raises(ConfigError, match=r"mine\.yaml: rerank: is missing"):
        gather_suite(**given, development=[], shards=[], runs=folder / "runs")
    given = suite(folder, RERANKER, "lakes") | {"passages": [folder / "water.jsonl"]}
    with pytest.raises(ConfigError, match=r"mine\.yaml: architecture: got 'cross-encoder'"):
        search_suite(**given, checkpoint=encoder, shard="1-of-1", lists=folder / "lists")
    with pytest.raises(ConfigError, match=r"mine\.yaml: architecture: got 'cross-encoder'"):
        merge_suite(**given, shards=[], runs=folder / "runs")


def test_lists_of_different_length_are_refused(folder, encoder):
    given = suite(folder, SEARCHER, "lakes", "quora") | {"passages": [folder / "water.jsonl"]}
    with pytest.raises(ValueError, match="shorter"):
        search_suite(**given, checkpoint=encoder, shard="1-of-1", lists=folder / "lists")
    assert not (folder / "lists").exists()
