"""Negatives: rewritten versions, copies, other passages of the query, and random passages."""

from collections import Counter

import pytest

from synthrank.config.recipes import Guard, Negatives
from synthrank.data.files import write_jsonl
from synthrank.data.passage_texts import texts_of
from synthrank.data.records import Passage, WrittenPassage
from synthrank.data.sampling import shuffle
from synthrank.data.trec import write_run
from synthrank.errors import BudgetError
from synthrank.steps.trainsets import negatives as module
from synthrank.steps.trainsets.false_negatives import find_copies
from synthrank.steps.trainsets.negatives import draw_negatives, open_negatives


@pytest.fixture
def drawn(tmp_path):
    """Return a function that draws from passages and a run, and returns (ids and texts by query, counts)."""

    def do(run, texts, anchors, *, count=3, depth=8, excluded=(), reworded=False, guard=None, known=None, **more):
        write_run(tmp_path / "run.trec", run, "x")
        write_jsonl(tmp_path / "passages.jsonl", [Passage(name, text) for name, text in texts.items()])
        settings = Negatives(source="same", retriever="bm25", depth=depth, count=count, guard=guard or Guard())
        tally = Counter()
        source = open_negatives(tmp_path / "run.trec", tmp_path / "passages.jsonl", set(excluded), reworded)
        same = find_copies(anchors, known or {}, tmp_path / "passages.jsonl")
        found = draw_negatives(anchors, source, settings, 13, known or {}, tally, copies=same, **more)
        return {item.query_id: {one.id: one.text for one in items} for item, items in found}, dict(tally)

    return do


RUN = {f"q{number}": [(f"p{number + step}", 20.0 - step) for step in range(12)] for number in range(3)}
HUMAN = {f"p{number}": f"human text {number}" for number in range(30)}
OTHER = {name: f"other {text}" for name, text in HUMAN.items()}


def anchors(texts, queries=("q0", "q1", "q2")):
    return [WrittenPassage(f"p{name[1:]}", texts[f"p{name[1:]}"], name, f"{name}?") for name in queries]


@pytest.mark.parametrize("guard", [Guard(), Guard(skip_top=3)])
@pytest.mark.parametrize("count", [3, 11])
def test_draw_negatives_of_rewritten_passages_matches_originals(drawn, guard, count):
    human, counts = drawn(RUN, HUMAN, anchors(HUMAN), guard=guard, count=count, excluded=["p4"])
    other, same = drawn(RUN, OTHER, anchors(OTHER), guard=guard, count=count, excluded=["p4"], reworded=True)
    assert counts == same
    assert [list(names) for names in other.values()] == [list(names) for names in human.values()]
    assert all(text == OTHER[name] for names in other.values() for name, text in names.items())
    assert not any("p4" in names for names in other.values())


def test_draw_negatives_skips_and_counts_absent_rewritten_passages(drawn):
    some = {name: text for name, text in OTHER.items() if name not in ("p2", "p3")}
    found, counts = drawn(RUN, some, anchors(OTHER), reworded=True, depth=4, count=2, guard=Guard(skip_top=1))
    # The first of five is skipped even if it is absent: these are left of p0 … p4, p1 … p5 and p2 … p6.
    assert {query: list(names) for query, names in found.items()} == {
        "q0": shuffle(["p1", "p4"], 13, "q0"),
        "q1": shuffle(["p4", "p5"], 13, "q1"),
        "q2": shuffle(["p4", "p5", "p6"], 13, "q2")[:2],
    }
    assert counts == {"negatives_absent": 2 + 2 + 2, "negatives_at_random": 0}
    last = anchors(OTHER, ["q2"])
    found, _ = drawn(RUN, some, last, reworded=True, depth=4, count=3, guard=Guard(skip_top=1))
    assert set(found["q2"]) == {"p4", "p5", "p6"}


def test_draw_negatives_skips_passages_generated_for_the_query(drawn):
    texts = {f"{query}@zero{place}": f"{query} {place}" for query in ("q1", "q2") for place in ("", "@2", "@3")}
    run = {"q1": [(name, 9.0 - place) for place, name in enumerate(texts)]}
    item = WrittenPassage("q1@zero", "q1 ", "q1", "q1?")
    found, counts = drawn(run, texts, [item], guard=Guard(known_positives=False))
    assert set(found["q1"]) == {"q2@zero", "q2@zero@2", "q2@zero@3"}
    assert counts == {"negatives_at_random": 0}


def test_draw_negatives_skips_passages_of_the_group(drawn):
    found, _ = drawn(RUN, HUMAN, anchors(HUMAN, ["q0"]), count=6, taken={"q0": {"p1", "p2"}})
    *ranked, drawn_at_random = found["q0"]
    assert sorted(ranked) == ["p3", "p4", "p5", "p6", "p7"]
    assert int(drawn_at_random[1:]) >= 8


def test_draw_negatives_sets_the_label(tmp_path):
    write_run(tmp_path / "run.trec", RUN, "x")
    write_jsonl(tmp_path / "passages.jsonl", [Passage(name, text) for name, text in HUMAN.items()])
    source = open_negatives(tmp_path / "run.trec", tmp_path / "passages.jsonl", set())
    settings = Negatives(source="human", retriever="bm25", count=2)
    ((_, items),) = draw_negatives(anchors(HUMAN, ["q0"]), source, settings, 13, {}, Counter(), copies={}, label=1.0)
    assert [item.label for item in items] == [1.0, 1.0]


def test_draw_negatives_differs_between_queries_with_equal_candidates(drawn):
    """With the same order for all thirty queries, all would get the same three negatives."""
    queries = [f"q{number}" for number in range(30)]
    run = {name: [(f"p{place}", 50.0 - place) for place in range(1, 30)] for name in queries}
    items = [WrittenPassage("p0", HUMAN["p0"], name, f"{name}?") for name in queries]
    found, _ = drawn(run, HUMAN, items, depth=30)
    times = Counter(name for names in found.values() for name in names)
    assert sum(times.values()) == 90
    assert len(times) >= 25, "90 draws of 29 leave 1.2 of them out, on average"
    assert max(times.values()) <= 9


def test_draw_negatives_skips_copies_of_relevant_passages(drawn):
    """Copies of the positive, a judged passage and another positive, both retrieved and random."""
    texts = dict(HUMAN)
    texts |= {"p3": "Human  TEXT 0", "p4": "human text 11\n", "p20": "human text 0", "p21": " HUMAN text 11"}
    run = {"q0": [(f"p{place}", 20.0 - place) for place in range(8)]}
    for count in (4, 20):
        found, counts = drawn(run, texts, anchors(HUMAN, ["q0"]), count=count, known={"q0": {"p11"}})
        assert not {"p3", "p4", "p20", "p21"} & set(found["q0"])
        assert counts["negatives_same_text"] == 2
    found, _ = drawn(run, texts, anchors(HUMAN, ["q0"]), count=24, known={"q0": {"p11"}})
    assert set(found["q0"]) == texts.keys() - {"p0", "p11", "p3", "p4", "p20", "p21"}
    found, _ = drawn(
        run, texts, anchors(HUMAN, ["q0"]), count=20, known={"q0": {"p11"}}, guard=Guard(known_positives=False)
    )
    assert not {"p3", "p20"} & set(found["q0"]), "copies are removed with any guard"


def test_draw_negatives_allows_a_copy_for_another_query(drawn):
    texts = HUMAN | {"p5": HUMAN["p0"]}
    found, counts = drawn(RUN, texts, anchors(HUMAN, ["q0", "q1"]), count=7, depth=8)
    assert "p5" not in found["q0"]
    assert "p5" in found["q1"]
    assert counts["negatives_same_text"] == 1


@pytest.mark.parametrize("texts", [1000, 30, 7], ids="{} texts".format)
def test_draw_negatives_fills_gaps_per_query_with_one_read(drawn, monkeypatch, texts):
    """The result equals a loop over the corpus per query; if few texts differ, the corpus is read again."""
    collection = {f"p{place}": f"text {place % texts}" for place in range(200)}
    items = [WrittenPassage(f"p{place}", collection[f"p{place}"], f"q{place}", "?") for place in range(25)]
    reads = []
    monkeypatch.setattr(module, "texts_of", lambda path, names: reads.append(1) or texts_of(path, names))
    run = {f"q{place}": [(f"p{place + 40}", 1.0)] for place in range(25)}
    found, counts = drawn(run, collection, items, count=5)
    for item in items:
        first = f"p{int(item.id[1:]) + 40}"
        expected, seen = [first], {item.text, collection[first]}
        for name in shuffle(collection.keys() - {item.id, first}, 13, item.query_id):
            if collection[name] not in seen:
                seen.add(collection[name])
                expected.append(name)
        assert list(found[item.query_id]) == expected[:5]
    assert counts["negatives_at_random"] == 25 * 4
    assert len(reads) == 2 if texts > 7 else 2 < len(reads) <= 4, "one read for candidates, one for all gaps"


def test_draw_negatives_gives_distinct_texts(drawn):
    texts = (
        HUMAN | {f"p{place}": f"Copy  {place % 2}" for place in range(1, 7)} | {f"p{place}": "x" for place in (20, 21)}
    )
    run = {"q0": [(f"p{place}", 20.0 - place) for place in range(8)]}
    found, counts = drawn(run, texts, anchors(texts, ["q0"]), count=24)
    assert counts["negatives_at_random"] == 21, "the run has p7 and one passage per text"
    drawn_texts = [" ".join(text.lower().split()) for text in found["q0"].values()]
    assert len(set(drawn_texts)) == len(drawn_texts) == 24
    with pytest.raises(BudgetError, match="query q0 needs 22 random negatives, 21 available"):
        drawn(run, texts, anchors(texts, ["q0"]), count=25)


def test_draw_negatives_skips_a_rewritten_relevant_passage(drawn):
    """It has the id of its human passage; its copy with another id is not a negative either."""
    other = OTHER | {"p9": OTHER["p3"]}
    run = {"q0": [(f"p{place}", 20.0 - place) for place in range(12)]}
    found, counts = drawn(
        run, other, anchors(OTHER, ["q0"]), count=8, depth=12, known={"q0": {"p0", "p3"}}, reworded=True
    )
    assert not {"p0", "p3", "p9"} & set(found["q0"])
    assert counts["negatives_same_text"] == 1
