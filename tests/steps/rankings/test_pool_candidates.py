"""Step pool_candidates: each strategy against a slow reference, and properties of all pools."""

import hashlib
import json
import random
from collections import Counter

import numpy as np
import plain_runs
import pytest
from held_out_case import exclude

from synthrank.cli import run
from synthrank.data import fusion
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Judgment, Pool, Query
from synthrank.errors import BudgetError
from synthrank.steps.rankings import pool_candidates as module
from synthrank.steps.rankings.pool_candidates import pool_candidates

STRATEGIES = ("per-query-source", "round-robin", "union", "rrf")
SOURCES = ("bm25", "splade", "dense", "reranked")


class World:
    """A folder with queries, runs and held-out judgments, and calls of the step."""

    def __init__(self, folder, queries, runs, held_out=()):
        self.folder, self.queries, self.runs = folder, queries, runs
        write_jsonl(folder / "queries.jsonl", queries)
        for source, lines in runs.items():
            (folder / f"{source}.trec").write_text("".join(lines), encoding="utf-8")
        exclude(folder, [Judgment("h", name, 1) for name in held_out])

    def pool(self, strategy, held_out=True, **settings):
        spec = self.folder / "pool.yaml"
        spec.write_text(json.dumps({"sources": list(self.runs), "strategy": strategy, **settings}))
        pool_candidates(
            spec=spec,
            queries=self.folder / "queries.jsonl",
            runs=[self.folder / f"{source}.trec" for source in self.runs],
            excluded=[self.folder / "excluded.txt"] if held_out else [],
            candidates=self.folder / "candidates.jsonl",
            stats=self.folder / "stats.json",
        )
        pools = {pool.query_id: pool for pool in read_jsonl(self.folder / "candidates.jsonl", Pool)}
        return pools, json.loads((self.folder / "stats.json").read_text())


def lines(run):
    """Return the lines of a run; names without scores get descending scores."""
    for query, names in run.items():
        for place, name in enumerate(names):
            yield f"{query} Q0 {name} {place + 1} {100 - place} x\n"


def small(folder, lists, held_out=(), source=""):
    """Return a world with one query ``q`` and rankings given as text: one letter per passage."""
    runs = {name: list(lines({"q": list(letters)})) for name, letters in zip(SOURCES, lists, strict=False)}
    return World(folder, [Query("q", "a question", source)], runs, held_out)


def names(pool):
    return "".join(candidate.id for candidate in pool.candidates)


QUERIES = 23
HELD_OUT = [f"d{place}" for place in range(0, 60, 7)]


def random_world(folder, seed):
    """Return a world with overlapping rankings, ties, unordered lines, and queries that some or all runs lack."""
    chance = random.Random(seed)
    queries = [Query(f"q{place}", f"text {place}", chance.choice(["", f"d{place}"])) for place in range(QUERIES)]
    runs = {}
    for source in SOURCES:
        runs[source] = []
        for query in (*queries[1:], Query("unknown", "")):
            found = [query.source] if query.source and chance.random() < 0.7 else []
            found += chance.sample([f"d{place}" for place in range(60) if f"d{place}" not in found], 25)
            kept = chance.sample(found, chance.choice([0, 1, 5, 12, 20]))
            runs[source] += [
                f"{query.id} Q0 {name} 1 {chance.choice([3.0, 2.5, chance.random()])} x\n" for name in kept
            ]
    return World(folder, queries, runs, HELD_OUT)


def expected(world, strategy, depth, source_depth, keep_source, seed=13, k=60):
    """Return each query's candidates in order, with their ranks, computed from the description of the strategy."""
    runs = {source: plain_runs.read_run(world.folder / f"{source}.trec") for source in world.runs}
    dealt = sorted(world.queries, key=lambda query: hashlib.sha256(f"{seed}\0{query.id}".encode()).digest())
    pools = {}
    for query in world.queries:
        lists = [[name for name, _ in runs[source].get(query.id, [])][:source_depth] for source in world.runs]
        hidden = set(HELD_OUT) | (set() if keep_source else {query.source})
        order = slow(strategy, lists, hidden, depth, dealt.index(query) % len(lists), k)
        if order:
            pools[query.id] = [
                (
                    name,
                    {
                        source: listed.index(name) + 1
                        for source, listed in zip(world.runs, lists, strict=True)
                        if name in listed
                    },
                )
                for name in order
            ]
    return pools


def slow(strategy, lists, hidden, depth, dealt, k):
    everything = {name for listed in lists for name in listed}
    if strategy == "per-query-source":
        return [name for name in lists[dealt] if name not in hidden][:depth]
    if strategy == "rrf":
        scores = {
            name: sum(1 / (k + listed.index(name) + 1) for listed in lists if name in listed) for name in everything
        }
        order = sorted(everything, key=lambda name: (-np.float32(scores[name]), name))
        return [name for name in order if name not in hidden][:depth]
    if strategy == "union":
        for level in range(max(map(len, lists)), -1, -1):
            top = {name for listed in lists for name in listed[:level]} - hidden
            if len(top) <= depth:
                break
        best = {
            name: min((listed.index(name), at) for at, listed in enumerate(lists) if name in listed) for name in top
        }
        return sorted(top, key=best.get)
    taken, before = [], -1
    while len(taken) > before:
        before = len(taken)
        for listed in lists:
            taken += [name for name in listed if name not in hidden and name not in taken][:1]
    return taken[:depth]


@pytest.mark.parametrize("keep_source", [True, False])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("depth", "source_depth"), [(7, 12), (30, 100)])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pool_candidates_matches_a_slow_reference(tmp_path, strategy, depth, source_depth, seed, keep_source):
    world = random_world(tmp_path, seed)
    pools, _ = world.pool(strategy, depth=depth, source_depth=source_depth, keep_source=keep_source)
    found = {query: [(candidate.id, candidate.ranks) for candidate in pool.candidates] for query, pool in pools.items()}
    wanted = expected(world, strategy, depth, source_depth, keep_source)
    assert found == wanted
    assert list(found) == list(wanted), "pools are in the order of the queries"
    assert all(pools[query.id].query == query.text for query in world.queries if query.id in pools)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pool_candidates_counts_match_the_pools(tmp_path, strategy):
    world = random_world(tmp_path, 5)
    pools, stats = world.pool(strategy, depth=7, source_depth=12, keep_source=False)
    runs = {source: plain_runs.read_run(tmp_path / f"{source}.trec") for source in SOURCES}
    listed = {
        (query.id, name) for query in world.queries for run in runs.values() for name, _ in run.get(query.id, [])[:12]
    }
    held_out = {(query, name) for query, name in listed if name in HELD_OUT}
    candidates = [candidate for pool in pools.values() for candidate in pool.candidates]
    sources = stats.pop("sources")
    assert stats == {
        "queries": QUERIES,
        "queries_without_candidate": QUERIES - len(pools),
        "pools": len(pools),
        "short_pools": sum(len(pool.candidates) < 7 for pool in pools.values()),
        "candidates": len(candidates),
        "held_out_passages": len({name for _, name in held_out}),
        "held_out_candidates": len(held_out),
        "own_passages": sum(
            (query.id, query.source) in listed and query.source not in HELD_OUT for query in world.queries
        ),
    }
    assert stats["held_out_candidates"] > stats["held_out_passages"] > 0
    assert stats["own_passages"] > 0
    assert 0 < stats["short_pools"] < len(pools) < QUERIES
    assert list(sources) == list(SOURCES)
    assert sum(source["candidates"] for source in sources.values()) == len(candidates)
    for name, source in sources.items():
        assert source["queries_without_hit"] == sum(not runs[name].get(query.id) for query in world.queries) > 0
        assert source["candidates_found"] == sum(name in candidate.ranks for candidate in candidates)
        alone = sum(list(candidate.ranks) == [name] for candidate in candidates)
        assert source["candidates_found_alone"] == alone > 0
        assert source["share_alone"] == round(alone / source["candidates"], 4)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pool_candidates_are_distinct_and_within_the_depth(tmp_path, strategy):
    world = random_world(tmp_path, 8)
    for depth in (4, 6, 15, 200):
        pools, _ = world.pool(strategy, depth=depth)
        for pool in pools.values():
            ids = [candidate.id for candidate in pool.candidates]
            assert len(set(ids)) == len(ids) <= depth
            assert all(candidate.ranks for candidate in pool.candidates)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pool_candidates_is_deterministic(tmp_path, strategy, monkeypatch):
    world = random_world(tmp_path, 1)
    written = []
    for at_once in (1000, 3):
        monkeypatch.setattr(module, "QUERIES_AT_ONCE", at_once)
        monkeypatch.setattr(fusion, "QUERIES_AT_ONCE", at_once)
        world.pool(strategy)
        written.append([(tmp_path / name).read_bytes() for name in ("candidates.jsonl", "stats.json")])
    assert written[0] == written[1]


# One source per query


def serving(world, pools):
    """Return the source of each query's candidates, for worlds whose rankings share no passage."""
    return {query: {source for item in pool.candidates for source in item.ranks} for query, pool in pools.items()}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_per_query_source_serves_equal_numbers_of_queries(tmp_path, count):
    queries = [Query(f"q{place}", "") for place in range(45)]
    runs = {
        source: list(lines({query.id: [f"{source}-{place}" for place in range(9)] for query in queries}))
        for source in SOURCES[:count]
    }
    world = World(tmp_path, queries, runs)
    pools, stats = world.pool("per-query-source", depth=5)
    served = serving(world, pools)
    assert all(len(sources) == 1 for sources in served.values()), "all candidates are from one source"
    counts = Counter(min(sources) for sources in served.values())
    assert max(counts.values()) - min(counts.values()) <= 1
    assert counts == {source: item["queries"] for source, item in stats["sources"].items()}
    assert {item["candidates"] for item in stats["sources"].values()} == {5 * number for number in counts.values()}
    assert {item["share_alone"] for item in stats["sources"].values()} == {1.0}
    again, other = world.pool("per-query-source", depth=5)[0], world.pool("per-query-source", depth=5, seed=14)[0]
    assert serving(world, again) == served
    assert serving(world, other) != served


def test_per_query_source_ignores_the_order_of_queries(tmp_path):
    world = random_world(tmp_path, 4)
    first, _ = world.pool("per-query-source")
    write_jsonl(tmp_path / "queries.jsonl", world.queries[::-1])
    second, _ = world.pool("per-query-source")
    assert first == second
    assert list(first) == list(second)[::-1]


def test_per_query_source_does_not_replace_an_empty_source(tmp_path):
    queries = [Query(f"q{place}", "") for place in range(10)]
    runs = {"bm25": [], "dense": list(lines({query.id: ["a", "b"] for query in queries}))}
    pools, stats = World(tmp_path, queries, runs).pool("per-query-source")
    assert len(pools) == 5
    assert (stats["queries_without_candidate"], stats["short_pools"]) == (5, 5)
    assert stats["sources"]["bm25"] == {
        "queries": 5, "queries_without_hit": 10, "candidates": 0, "candidates_found": 0, "candidates_found_alone": 0,
        "share_alone": None,
    }  # fmt: skip
    assert stats["sources"]["dense"]["candidates"] == 10


@pytest.mark.parametrize("strategy", ["round-robin", "union", "rrf"])
def test_pool_candidates_with_an_empty_source_uses_the_others(tmp_path, strategy):
    pools, stats = small(tmp_path, ["", "abc"]).pool(strategy)
    assert names(pools["q"]) == "abc"
    assert stats["sources"]["bm25"]["queries_without_hit"] == 1
    assert stats["sources"]["bm25"]["queries"] == 1, "a source without passages counts the query"


# All sources for every query


@pytest.mark.parametrize(
    ("lists", "depth", "order"),
    [
        (["abcd", "wxyz"], 5, "awbxc"),
        (["abcd", "abcd"], 3, "abc"),
        (["abcd", "acxb"], 4, "acbx"),
        (["a", "wxyz", ""], 4, "awxy"),
        (["ab", "b"], 9, "ab"),
    ],
)
def test_round_robin_takes_sources_in_turn(tmp_path, lists, depth, order):
    assert names(small(tmp_path, lists).pool("round-robin", depth=depth)[0]["q"]) == order


@pytest.mark.parametrize(
    ("lists", "depth", "order"),
    [
        (["abcd", "wxyz"], 4, "awbx"),
        (["abcd", "wxyz"], 5, "awbx"),  # level 3 has six
        (["abcd", "abyz"], 4, "abcy"),
        (["abcd", "badc"], 4, "abcd"),
        (["abcd", "badc"], 3, "ab"),
        (["abcde", "ab"], 4, "abcd"),
        (["ab", "cd"], 30, "acbd"),
        (["xab", "yxb"], 3, "xya"),
    ],
)
def test_union_ends_with_a_complete_level(tmp_path, lists, depth, order):
    assert names(small(tmp_path, lists).pool("union", depth=depth)[0]["q"]) == order


def test_rrf_prefers_passages_of_several_sources(tmp_path):
    world = small(tmp_path, ["abcd", "xbcy", "zcb"])
    assert names(world.pool("rrf", depth=4)[0]["q"]) == "bcax", "1/61 once is less than three deeper ranks"
    pools, stats = world.pool("rrf", depth=5, rrf_k=0)
    assert names(pools["q"]) == "bcaxz", "b: 1/2 + 1/2 + 1/3, c: 1/3 + 1/3 + 1/2, a, x and z: 1"
    assert [item["candidates"] for item in stats["sources"].values()] == [2, 1, 2], "b is best in bm25, c in dense"


def test_rrf_ties_scores_that_differ_only_by_rounding(tmp_path):
    """1/2 + 1/6 + 1 is smaller than 1 + 1/2 + 1/6 as 64-bit floats; as 32-bit floats they are equal."""
    assert 1 / 2 + 1 / 6 + 1 < 1 + 1 / 2 + 1 / 6
    world = small(tmp_path, ["ba", "pbqrsa", "atuvwb"])
    assert names(world.pool("rrf", depth=2, rrf_k=0)[0]["q"]) == "ab"


# Properties of all strategies


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pool_candidates_keeps_ranks_of_the_runs(tmp_path, strategy):
    world = small(tmp_path, ["abcd", "dcba"], held_out="ac")
    pools, stats = world.pool(strategy, depth=2)
    ranks = {candidate.id: candidate.ranks for candidate in pools["q"].candidates}
    assert ranks == {"b": {"bm25": 2, "splade": 3}, "d": {"bm25": 4, "splade": 1}}
    assert (stats["held_out_passages"], stats["held_out_candidates"], stats["short_pools"]) == (2, 2, 0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pool_candidates_of_held_out_queries_keeps_all_passages(tmp_path, strategy):
    pools, stats = small(tmp_path, ["abcd", "dcba"], held_out="ac").pool(strategy, held_out=False)
    assert sorted(names(pools["q"])) == list("abcd")
    assert stats["held_out_passages"] == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pool_candidates_removes_the_source_passage_of_a_query(tmp_path, strategy):
    world = small(tmp_path, ["abc", "bca"], source="b")
    pools, stats = world.pool(strategy)
    assert sorted(names(pools["q"])) == list("abc")
    assert stats["own_passages"] == 0
    pools, stats = world.pool(strategy, keep_source=False)
    assert sorted(names(pools["q"])) == list("ac")
    assert (stats["own_passages"], stats["held_out_passages"]) == (1, 0)


def test_pool_candidates_counts_a_passage_removed_for_two_reasons_once(tmp_path):
    _, stats = small(tmp_path, ["abc"], held_out="b", source="b").pool("union", keep_source=False)
    assert (stats["own_passages"], stats["held_out_passages"]) == (0, 1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_pool_candidates_ignores_passages_beyond_the_source_depth(tmp_path, strategy):
    pools, stats = small(tmp_path, ["abcd", "dcba"]).pool(strategy, source_depth=2, depth=4)
    ranks = {candidate.id: candidate.ranks for candidate in pools["q"].candidates}
    everything = {"a": {"bm25": 1}, "b": {"bm25": 2}, "d": {"splade": 1}, "c": {"splade": 2}}
    assert ranks.items() <= everything.items()
    assert len(ranks) == (2 if strategy == "per-query-source" else 4)
    assert sum(item["candidates_found_alone"] for item in stats["sources"].values()) == len(ranks)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("lists", [["", ""], ["ab", "b"]])
def test_pool_candidates_without_any_candidate_is_an_error(tmp_path, strategy, lists):
    with pytest.raises(BudgetError, match=r"pool\.yaml: none of 1 queries has a candidate; "):
        small(tmp_path, lists, held_out="ab").pool(strategy)
    assert not (tmp_path / "candidates.jsonl").exists()
    assert not (tmp_path / "stats.json").exists()


def test_pool_candidates_runs_without_held_out_judgments(tmp_path):
    """The rule passes the option without a value if the queries are held out."""
    small(tmp_path, ["ab", "bc"]).pool("round-robin")
    (tmp_path / "candidates.jsonl").unlink()
    options = {"spec": ["pool.yaml"], "queries": ["queries.jsonl"], "runs": ["bm25.trec", "splade.trec"],
               "excluded": [], "candidates": ["candidates.jsonl"], "stats": ["stats.json"]}  # fmt: skip
    arguments = [[f"--{name}", *(str(tmp_path / value) for value in values)] for name, values in options.items()]
    run(pool_candidates, [item for argument in arguments for item in argument])
    assert [names(pool) for pool in read_jsonl(tmp_path / "candidates.jsonl", Pool)] == ["abc"]
