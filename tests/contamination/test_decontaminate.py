"""Training sets without overlap: overlapping texts are removed and counted, and sizes are reached."""

import json
from collections import Counter

import pytest
from held_out_case import exclude

from synthrank.config.leaks import LeakTests
from synthrank.contamination.decontaminate import OverlapFilter
from synthrank.contamination.finder import OverlapFinder, OverlapText
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Group, Judgment, Passage, Query, WrittenPassage
from synthrank.data.sampling import shuffle
from synthrank.data.trec import write_qrels, write_run
from synthrank.errors import BudgetError
from synthrank.steps.trainsets.pair_trainset import pair_trainset


class World:
    """Twelve training queries with one answer each, 40 passages, and a test set with the texts of a test."""

    def __init__(self, folder):
        self.folder = folder
        self.names = [f"q{number}" for number in range(12)]
        self.order = shuffle(self.names, 13)
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
            passages=[], excluded=exclude(folder),
            positives=[folder / "written.jsonl"], filters=[], negative_runs=[folder / "run.trec"],
            negative_passages=[folder / "corpus.jsonl"], reworded=[], dropped_queries=dropped[0],
            dropped_qrels=dropped[1], dropped_passages=dropped[2], dropped_retriever=[], dropped_model=[],
            guard_retriever=[], guard_model=[], teacher=[], teacher_model=[],
            trainset=folder / "groups.jsonl", stats=folder / "stats.json",
        )  # fmt: skip
        return list(read_jsonl(folder / "groups.jsonl", Group)), json.loads((folder / "stats.json").read_text())[
            "human"
        ]


def queries_of(groups):
    return [group.query_id for group in groups]


def negatives(groups):
    return {item.id for group in groups for item in group.candidates[1:]}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_overlap_filter_without_overlap_changes_nothing(world):
    plain, stats = world.build()
    assert world.build(drop={}) == (plain, stats), "nothing is counted"
    world.relevant["d2"] = world.passages[f"p{world.order[0][1:]}"]
    assert world.build() == (plain, stats), "without drop_leaks"


def test_overlap_filter_replaces_an_overlapping_query(world):
    world.tested["t2"] = world.queries[world.order[1]].upper()
    groups, stats = world.build(drop={})
    assert queries_of(groups) == [world.order[place] for place in (0, 2, 3, 4)]
    assert (stats["leaking_query"], stats["leaking_query_exact"]) == (1, 1)
    assert (stats["queries"], stats["groups"], stats["queries_replaced"]) == (4, 4, 1)
    assert "leaking_passage" not in stats


def test_overlap_filter_replaces_an_overlapping_positive(world):
    first = world.order[0]
    world.relevant["d2"] = world.passages[f"p{first[1:]}"]
    groups, stats = world.build(drop={})
    assert queries_of(groups) == world.order[1:5]
    assert stats["leaking_passage"] == 1
    groups, _ = world.build(drop={}, extra=[WrittenPassage("p39", "fine", first, world.queries[first])])
    assert queries_of(groups) == world.order[:4]
    assert groups[0].candidates[0].id == "p39"


def test_overlap_filter_replaces_overlapping_negatives(world):
    drawn = sorted(name for name in negatives(world.build()[0]) if int(name[1:]) >= len(world.names))
    for place, name in enumerate(drawn[:3]):
        world.relevant[f"d{place + 5}"] = f"Before. {world.passages[name]}! After."
    groups, stats = world.build(drop={"ngrams": [5]})
    assert {len(group.candidates) for group in groups} == {4}
    assert not negatives(groups) & set(drawn[:3])
    assert stats["leaking_negative_5-gram"] >= 3
    assert "leaking_negative_exact" not in stats


def test_overlap_filter_replaces_random_negatives(world):
    world.run = {}
    drawn = negatives(world.build()[0])
    for place, name in enumerate(sorted(drawn)):
        world.relevant[f"d{place + 5}"] = world.passages[name]
    world.relevant = {name: text for name, text in world.relevant.items() if text not in {
        world.passages[f"p{query[1:]}"] for query in world.names}}  # fmt: skip
    groups, stats = world.build(drop={})
    overlapping = {name for name in world.passages if world.passages[name] in world.relevant.values()}
    assert overlapping
    assert not negatives(groups) & overlapping
    assert stats["negatives_at_random"] == 4 * 3, "removed negatives are not counted"
    assert stats["leaking_negative"] >= len(overlapping & drawn)


def test_pair_trainset_refuses_too_few_queries_without_overlap(world):
    for place, name in enumerate(world.order[:9]):
        world.tested[f"x{place}"] = world.queries[name]
    with pytest.raises(BudgetError) as error:
        world.build(drop={})
    assert str(error.value) == (
        f"{world.folder / 'written.jsonl'}: 3 of 12 training queries have a passage without overlap with a test set "
        "(9 overlapping texts were dropped), but the recipe asks for 4; set positives.queries to at most 3"
    )


def test_overlap_filter_stops_after_enough_queries(monkeypatch):
    """A text that several tests find is counted for each test."""
    monkeypatch.setattr("synthrank.contamination.decontaminate.CHUNK", 2)
    written = {f"q{n}": [WrittenPassage(f"p{n}", f"one two three {n}", f"q{n}", f"ask {n}")] for n in range(10)}
    finder = OverlapFinder({"t": [OverlapText("d", "one two three 1", "passage")]}, LeakTests(ngrams=(4,)), None)
    calls, find = [], finder.find
    monkeypatch.setattr(finder, "find", lambda texts: calls.append([text.id for text in texts]) or find(texts))
    count = Counter()
    clean = OverlapFilter(finder).written(written, [f"q{n}" for n in range(10)], 2, count)
    assert list(clean) == ["q0", "q2"]
    assert calls == [["q0", "q1", "p0", "p1"], ["q2", "q3", "p2", "p3"]]
    assert count == {"leaking_passage": 1, "leaking_passage_exact": 1, "leaking_passage_4-gram": 1}


def test_overlap_filter_removes_near_duplicates(world, encoder, one_thread):
    from synthrank.config.recipes import DroppedLeaks
    from synthrank.contamination.decontaminate import open_overlap_filter

    folder = world.folder
    world.relevant["d2"] = "Bread needs flour and water."
    world.build(drop={})
    (folder / "dense.yaml").write_text("kind: dense\nmodel: tiny\nmax_length: 64\n")
    dropped = DroppedLeaks(testsets=("test",), exact=False, ngrams=(), cosine=0.999, retriever="tiny")
    overlap_filter = open_overlap_filter(
        dropped, [folder / "test-queries.jsonl"], [folder / "test-qrels.txt"], [folder / "test-corpus.jsonl"],
        [folder / "dense.yaml"], [encoder],
    )  # fmt: skip
    written = {
        "a": [WrittenPassage("a@x", "bread needs flour and  water.", "a", "x")],  # the tiny model ignores case
        "b": [WrittenPassage("b@x", "Settings are read once when the server starts.", "b", "y")],
    }
    count = Counter()
    assert list(overlap_filter.written(written, ["a", "b"], 5, count)) == ["b"]
    assert count == {"leaking_passage": 1, "leaking_passage_cosine": 1}
