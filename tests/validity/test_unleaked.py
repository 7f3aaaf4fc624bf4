"""Training sets without leaks: what leaks is nowhere, sizes are met, and what was left out is counted."""

import json
from collections import Counter

import pytest

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.leaks import LeakFinder, Text
from synthrank.order import seeded
from synthrank.records import Group, Judgment, Passage, Query, WrittenPassage
from synthrank.specs.leaks import LeakTests
from synthrank.trainsets.pair_trainset import pair_trainset
from synthrank.trainsets.unleaked import Unleaked
from synthrank.trec import write_qrels, write_run


class World:
    """Twelve training queries with an answer each, 40 passages, and a test set that holds what a test puts there."""

    def __init__(self, folder):
        self.folder = folder
        self.names = [f"q{number}" for number in range(12)]
        self.order = seeded(self.names, 13)
        self.queries = {name: f"question of {name}" for name in self.names}
        self.passages = {f"p{number}": f"the text of passage {number}" for number in range(40)}
        self.tested, self.relevant = {"t1": "another question"}, {"d1": "another passage"}
        self.run = {
            name: [(f"p{(int(name[1:]) + step) % 40}", 50.0 - step) for step in range(10)] for name in self.names
        }

    def build(self, queries=4, count=3, drop=None, per_query=1, extra=()):
        folder = self.folder
        write_jsonl(folder / "queries.jsonl", [Query(*item) for item in self.queries.items()])
        write_jsonl(folder / "corpus.jsonl", [Passage(*item) for item in self.passages.items()])
        write_qrels(folder / "qrels.txt", [Judgment(name, f"p{name[1:]}", 1) for name in self.names])
        write_run(folder / "run.trec", self.run, "x")
        own = [
            WrittenPassage(f"p{name[1:]}", self.passages[f"p{name[1:]}"], name, self.queries[name])
            for name in self.names
        ]
        write_jsonl(folder / "written.jsonl", [*own, *extra])
        write_jsonl(folder / "test-queries.jsonl", [Query(*item) for item in self.tested.items()])
        write_jsonl(folder / "test-corpus.jsonl", [Passage(*item) for item in self.relevant.items()])
        write_qrels(folder / "test-qrels.txt", [Judgment("t1", name, 1) for name in self.relevant])
        spec = {
            "kind": "pairs", "corpus": "c",
            "positives": [{"paradigm": "human", "queries": queries, "per_query": per_query}],
            "negatives": {"source": "human", "retriever": "bm25", "depth": 10, "count": count},
        }  # fmt: skip
        if drop is not None:
            spec["drop_leaks"] = {"testsets": ["test"], **drop}
        (folder / "recipe.yaml").write_text(json.dumps(spec))
        files = ["test-queries.jsonl", "test-qrels.txt", "test-corpus.jsonl"]
        dropped = [[folder / name] if drop is not None else [] for name in files]
        pair_trainset(
            spec=folder / "recipe.yaml", size=0, queries=[folder / "queries.jsonl"], qrels=folder / "qrels.txt",
            passages=[],
            held_out=[], positives=[folder / "written.jsonl"], filters=[], negative_runs=[folder / "run.trec"],
            negative_passages=[folder / "corpus.jsonl"], reworded=[], dropped_queries=dropped[0],
            dropped_qrels=dropped[1], dropped_passages=dropped[2], dropped_retriever=[], dropped_model=[],
            guard_retriever=[], guard_model=[], teacher=[], teacher_model=[],
            trainset=folder / "groups.jsonl", stats=folder / "stats.json",
        )  # fmt: skip
        return list(read_jsonl(folder / "groups.jsonl", Group)), json.loads((folder / "stats.json").read_text())[
            "human"
        ]


def asked(groups):
    return [group.query_id for group in groups]


def negatives(groups):
    return {item.id for group in groups for item in group.candidates[1:]}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_nothing_is_left_out_where_nothing_leaks(world):
    plain, stats = world.build()
    assert world.build(drop={}) == (plain, stats), "and nothing is counted"
    world.relevant["d2"] = world.passages[f"p{world.order[0][1:]}"]
    assert world.build() == (plain, stats), "unless the recipe says so"


def test_a_leaking_query_gives_way_and_the_size_is_met(world):
    world.tested["t2"] = world.queries[world.order[1]].upper()
    groups, stats = world.build(drop={})
    assert asked(groups) == [world.order[place] for place in (0, 2, 3, 4)]
    assert (stats["leaking_query"], stats["leaking_query_exact"]) == (1, 1)
    assert (stats["queries"], stats["groups"], stats["queries_replaced"]) == (4, 4, 1)
    assert "leaking_passage" not in stats


def test_a_leaking_positive_gives_way_to_the_querys_next_one(world):
    first = world.order[0]
    world.relevant["d2"] = world.passages[f"p{first[1:]}"]
    groups, stats = world.build(drop={})
    assert asked(groups) == world.order[1:5]
    assert stats["leaking_passage"] == 1
    groups, _ = world.build(drop={}, extra=[WrittenPassage("p39", "fine", first, world.queries[first])])
    assert asked(groups) == world.order[:4]
    assert groups[0].candidates[0].id == "p39"


def test_leaking_negatives_are_replaced_and_none_is_missing(world):
    drawn = sorted(name for name in negatives(world.build()[0]) if int(name[1:]) >= len(world.names))
    for place, name in enumerate(drawn[:3]):
        world.relevant[f"d{place + 5}"] = f"Before. {world.passages[name]}! After."
    groups, stats = world.build(drop={"ngrams": [5]})
    assert {len(group.candidates) for group in groups} == {4}
    assert not negatives(groups) & set(drawn[:3])
    assert stats["leaking_negative_5-gram"] >= 3
    assert "leaking_negative_exact" not in stats


def test_negatives_at_random_do_not_leak_either(world):
    world.run = {}
    drawn = negatives(world.build()[0])
    for place, name in enumerate(sorted(drawn)):
        world.relevant[f"d{place + 5}"] = world.passages[name]
    world.relevant = {name: text for name, text in world.relevant.items() if text not in {
        world.passages[f"p{query[1:]}"] for query in world.names}}  # fmt: skip
    groups, stats = world.build(drop={})
    leaking = {name for name in world.passages if world.passages[name] in world.relevant.values()}
    assert leaking
    assert not negatives(groups) & leaking
    assert stats["negatives_at_random"] == 4 * 3, "those left out are not counted as drawn"
    assert stats["leaking_negative"] >= len(leaking & drawn)


def test_too_few_queries_without_leaks_is_one_line(world):
    for place, name in enumerate(world.order[:9]):
        world.tested[f"x{place}"] = world.queries[name]
    with pytest.raises(BudgetError) as error:
        world.build(drop={})
    assert str(error.value) == (
        f"{world.folder / 'written.jsonl'}: 3 of 12 training queries have a passage that leaks into no test set "
        "(9 texts that do were dropped), the recipe wants 4; lower positives.queries"
    )


def test_tests_end_where_enough_queries_are_found(monkeypatch):
    """And what several tests find counts with each of them."""
    monkeypatch.setattr("synthrank.trainsets.unleaked.CHUNK", 2)
    written = {f"q{n}": [WrittenPassage(f"p{n}", f"one two three {n}", f"q{n}", f"ask {n}")] for n in range(10)}
    finder = LeakFinder({"t": [Text("d", "one two three 1", "passage")]}, LeakTests(ngrams=(4,)), None)
    calls, find = [], finder.find
    monkeypatch.setattr(finder, "find", lambda texts: calls.append([text.id for text in texts]) or find(texts))
    count = Counter()
    clean = Unleaked(finder).written(written, [f"q{n}" for n in range(10)], 2, count)
    assert list(clean) == ["q0", "q2"]
    assert calls == [["q0", "q1", "p0", "p1"], ["q2", "q3", "p2", "p3"]]
    assert count == {"leaking_passage": 1, "leaking_passage_exact": 1, "leaking_passage_4-gram": 1}


def test_near_duplicates_are_left_out_by_the_model(world, encoder, one_thread):
    from synthrank.specs.recipes import DroppedLeaks
    from synthrank.trainsets.unleaked import open_unleaked

    folder = world.folder
    world.relevant["d2"] = "Bread needs flour and water."
    world.build(drop={})
    (folder / "dense.yaml").write_text("kind: dense\nmodel: tiny\nmax_length: 64\n")
    dropped = DroppedLeaks(testsets=("test",), exact=False, ngrams=(), cosine=0.999, retriever="tiny")
    unleaked = open_unleaked(
        dropped, [folder / "test-queries.jsonl"], [folder / "test-qrels.txt"], [folder / "test-corpus.jsonl"],
        [folder / "dense.yaml"], [encoder],
    )  # fmt: skip
    written = {
        "a": [WrittenPassage("a@x", "bread needs flour and  water.", "a", "x")],  # the tiny model has no capitals
        "b": [WrittenPassage("b@x", "Settings are read once when the server starts.", "b", "y")],
    }
    count = Counter()
    assert list(unleaked.written(written, ["a", "b"], 5, count)) == ["b"]
    assert count == {"leaking_passage": 1, "leaking_passage_cosine": 1}
