"""Pools of candidates: each strategy against a slow one written from its description, and what every pool keeps to."""

import hashlib
import json
import random
from collections import Counter

import numpy as np
import plain_runs
import pytest

from synthrank.cli import run
from synthrank import fusion
from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.rankings import pool_candidates as module
from synthrank.rankings.pool_candidates import pool_candidates
from synthrank.records import Judgment, Pool, Query
from synthrank.trec import write_qrels

STRATEGIES = ("per-query-source", "round-robin", "union", "rrf")
SOURCES = ("bm25", "splade", "dense", "reranked")


class World:
    """Queries, runs and held-out judgments in a folder, and the step over them."""

    def __init__(self, folder, queries, runs, held_out=()):
        self.folder, self.queries, self.runs = folder, queries, runs
        write_jsonl(folder / "queries.jsonl", queries)
        for source, lines in runs.items():
            (folder / f"{source}.trec").write_text("".join(lines), encoding="utf-8")
        write_qrels(folder / "held-out.txt", [Judgment("h", name, 1) for name in held_out])

    def pool(self, strategy, held_out=True, **settings):
        spec = self.folder / "pool.yaml"
        spec.write_text(json.dumps({"sources": list(self.runs), "strategy": strategy, **settings}))
        pool_candidates(
            spec=spec,
            queries=self.folder / "queries.jsonl",
            runs=[self.folder / f"{source}.trec" for source in self.runs],
            held_out=[self.folder / "held-out.txt"] if held_out else [],
            candidates=self.folder / "candidates.jsonl",
            stats=self.folder / "stats.json",
        )
        pools = {pool.query_id: pool for pool in read_jsonl(self.folder / "candidates.jsonl", Pool)}
        return pools, json.loads((self.folder / "stats.json").read_text())


def lines(run):
    """Return a run's lines; names alone get falling scores."""
    for query, names in run.items():
        for place, name in enumerate(names):
            yield f"{query} Q0 {name} {place + 1} {100 - place} x\n"


def small(folder, lists, held_out=(), source=""):
    """Return a world of one query ``q``, its lists given as text: a letter a passage."""
    runs = {name: list(lines({"q": list(letters)})) for name, letters in zip(SOURCES, lists, strict=False)}
    return World(folder, [Query("q", "a question", source)], runs, held_out)


def names(pool):
    return "".join(candidate.id for candidate in pool.candidates)


QUERIES = 23
HELD_OUT = [f"d{place}" for place in range(0, 60, 7)]


def random_world(folder, seed):
    """Return a world with overlapping lists, ties, unordered lines, queries that some or all sources do not know."""
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
    """Return each query's candidates in order, each with its ranks, by the description alone."""
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
def test_a_strategy_is_what_its_description_says(tmp_path, strategy, depth, source_depth, seed, keep_source):
    world = random_world(tmp_path, seed)
    pools, _ = world.pool(strategy, depth=depth, source_depth=source_depth, keep_source=keep_source)
    found = {query: [(candidate.id, candidate.ranks) for candidate in pool.candidates] for query, pool in pools.items()}
    wanted = expected(world, strategy, depth, source_depth, keep_source)
    assert found == wanted
    assert list(found) == list(wanted), "in the order of the queries"
    assert all(pools[query.id].query == query.text for query in world.queries if query.id in pools)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_counts_are_those_of_the_pools(tmp_path, strategy):
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
def test_no_candidate_twice_and_never_more_than_the_depth(tmp_path, strategy):
    world = random_world(tmp_path, 8)
    for depth in (4, 6, 15, 200):
        pools, _ = world.pool(strategy, depth=depth)
        for pool in pools.values():
            ids = [candidate.id for candidate in pool.candidates]
            assert len(set(ids)) == len(ids) <= depth
            assert all(candidate.ranks for candidate in pool.candidates)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_files_every_time(tmp_path, strategy, monkeypatch):
    world = random_world(tmp_path, 1)
    written = []
    for at_once in (1000, 3):
        monkeypatch.setattr(module, "QUERIES_AT_ONCE", at_once)
        monkeypatch.setattr(fusion, "QUERIES_AT_ONCE", at_once)
        world.pool(strategy)
        written.append([(tmp_path / name).read_bytes() for name in ("candidates.jsonl", "stats.json")])
    assert written[0] == written[1]


# One query a source


def serving(world, pools):
    """Return which source's list each query's candidates are, for worlds whose lists share nothing."""
    return {query: {source for item in pool.candidates for source in item.ranks} for query, pool in pools.items()}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_sources_serve_equally_many_queries(tmp_path, count):
    queries = [Query(f"q{place}", "") for place in range(45)]
    runs = {
        source: list(lines({query.id: [f"{source}-{place}" for place in range(9)] for query in queries}))
        for source in SOURCES[:count]
    }
    world = World(tmp_path, queries, runs)
    pools, stats = world.pool("per-query-source", depth=5)
    served = serving(world, pools)
    assert all(len(sources) == 1 for sources in served.values()), "the whole list is one source's"
    counts = Counter(min(sources) for sources in served.values())
    assert max(counts.values()) - min(counts.values()) <= 1
    assert counts == {source: item["queries"] for source, item in stats["sources"].items()}
    assert {item["candidates"] for item in stats["sources"].values()} == {5 * number for number in counts.values()}
    assert {item["share_alone"] for item in stats["sources"].values()} == {1.0}
    again, other = world.pool("per-query-source", depth=5)[0], world.pool("per-query-source", depth=5, seed=14)[0]
    assert serving(world, again) == served
    assert serving(world, other) != served


def test_another_order_of_the_queries_deals_the_same(tmp_path):
    world = random_world(tmp_path, 4)
    first, _ = world.pool("per-query-source")
    write_jsonl(tmp_path / "queries.jsonl", world.queries[::-1])
    second, _ = world.pool("per-query-source")
    assert first == second
    assert list(first) == list(second)[::-1]


def test_no_source_steps_in_for_an_empty_one(tmp_path):
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
def test_an_empty_source_leaves_the_others(tmp_path, strategy):
    pools, stats = small(tmp_path, ["", "abc"]).pool(strategy)
    assert names(pools["q"]) == "abc"
    assert stats["sources"]["bm25"]["queries_without_hit"] == 1
    assert stats["sources"]["bm25"]["queries"] == 1, "it was asked, as every source was"


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
def test_sources_take_turns(tmp_path, lists, depth, order):
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
def test_a_union_ends_with_a_whole_level(tmp_path, lists, depth, order):
    assert names(small(tmp_path, lists).pool("union", depth=depth)[0]["q"]) == order


def test_fusion_prefers_what_several_found(tmp_path):
    world = small(tmp_path, ["abcd", "xbcy", "zcb"])
    assert names(world.pool("rrf", depth=4)[0]["q"]) == "bcax", "1/61 once is less than three deeper ranks"
    pools, stats = world.pool("rrf", depth=5, rrf_k=0)
    assert names(pools["q"]) == "bcaxz", "b: 1/2 + 1/2 + 1/3, c: 1/3 + 1/3 + 1/2, a, x and z: 1"
    assert [item["candidates"] for item in stats["sources"].values()] == [2, 1, 2], "b is best in bm25, c in dense"


def test_what_only_rounding_tells_apart_is_tied(tmp_path):
    """1/2 + 1/6 + 1 and 1 + 1/2 + 1/6 differ as 64-bit floats, where the latter is larger; ties are of 32 bits."""
    assert 1 / 2 + 1 / 6 + 1 < 1 + 1 / 2 + 1 / 6
    world = small(tmp_path, ["ba", "pbqrsa", "atuvwb"])
    assert names(world.pool("rrf", depth=2, rrf_k=0)[0]["q"]) == "ab"


# What every strategy keeps to


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_ranks_stay_those_of_the_lists(tmp_path, strategy):
    world = small(tmp_path, ["abcd", "dcba"], held_out="ac")
    pools, stats = world.pool(strategy, depth=2)
    ranks = {candidate.id: candidate.ranks for candidate in pools["q"].candidates}
    assert ranks == {"b": {"bm25": 2, "splade": 3}, "d": {"bm25": 4, "splade": 1}}
    assert (stats["held_out_passages"], stats["held_out_candidates"], stats["short_pools"]) == (2, 2, 0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_ranking_held_out_queries_leaves_nothing_out(tmp_path, strategy):
    pools, stats = small(tmp_path, ["abcd", "dcba"], held_out="ac").pool(strategy, held_out=False)
    assert sorted(names(pools["q"])) == list("abcd")
    assert stats["held_out_passages"] == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_passage_a_query_was_made_from(tmp_path, strategy):
    world = small(tmp_path, ["abc", "bca"], source="b")
    pools, stats = world.pool(strategy)
    assert sorted(names(pools["q"])) == list("abc")
    assert stats["own_passages"] == 0
    pools, stats = world.pool(strategy, keep_source=False)
    assert sorted(names(pools["q"])) == list("ac")
    assert (stats["own_passages"], stats["held_out_passages"]) == (1, 0)


def test_a_passage_that_is_left_out_for_two_reasons_is_counted_once(tmp_path):
    _, stats = small(tmp_path, ["abc"], held_out="b", source="b").pool("union", keep_source=False)
    assert (stats["own_passages"], stats["held_out_passages"]) == (0, 1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_deeper_than_the_source_depth_was_not_found(tmp_path, strategy):
    pools, stats = small(tmp_path, ["abcd", "dcba"]).pool(strategy, source_depth=2, depth=4)
    ranks = {candidate.id: candidate.ranks for candidate in pools["q"].candidates}
    everything = {"a": {"bm25": 1}, "b": {"bm25": 2}, "d": {"splade": 1}, "c": {"splade": 2}}
    assert ranks.items() <= everything.items()
    assert len(ranks) == (2 if strategy == "per-query-source" else 4)
    assert sum(item["candidates_found_alone"] for item in stats["sources"].values()) == len(ranks)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("lists", [["", ""], ["ab", "b"]])
def test_no_candidate_at_all_is_an_error(tmp_path, strategy, lists):
    with pytest.raises(BudgetError, match=r"pool\.yaml: none of 1 queries has a candidate; "):
        small(tmp_path, lists, held_out="ab").pool(strategy)
    assert not (tmp_path / "candidates.jsonl").exists()
    assert not (tmp_path / "stats.json").exists()


def test_on_the_command_line_without_held_out_judgments(tmp_path):
    """The rule gives the option no value where the queries are held out themselves."""
    small(tmp_path, ["ab", "bc"]).pool("round-robin")
    (tmp_path / "candidates.jsonl").unlink()
    options = {"spec": ["pool.yaml"], "queries": ["queries.jsonl"], "runs": ["bm25.trec", "splade.trec"],
               "held-out": [], "candidates": ["candidates.jsonl"], "stats": ["stats.json"]}  # fmt: skip
    arguments = [[f"--{name}", *(str(tmp_path / value) for value in values)] for name, values in options.items()]
    run(pool_candidates, [item for argument in arguments for item in argument])
    assert [names(pool) for pool in read_jsonl(tmp_path / "candidates.jsonl", Pool)] == ["abc"]
