"""Negatives in another wording are those of the human recipe; other passages for the same query are none."""

from collections import Counter

import pytest

from synthrank.errors import BudgetError
from synthrank.files import write_jsonl
from synthrank.order import seeded
from synthrank.records import Passage, WrittenPassage
from synthrank.specs.recipes import Guard, Negatives
from synthrank.texts import texts_of
from synthrank.trainsets import negatives as module
from synthrank.trainsets.guard import copies
from synthrank.trainsets.negatives import draw, open_source
from synthrank.trec import write_run


@pytest.fixture
def drawn(tmp_path):
    """Return a function that draws from passages and a run, and gives (ids and texts by query, counts)."""

    def do(run, texts, anchors, *, count=3, depth=8, excluded=(), reworded=False, guard=None, known=None, **more):
        write_run(tmp_path / "run.trec", run, "x")
        write_jsonl(tmp_path / "passages.jsonl", [Passage(name, text) for name, text in texts.items()])
        settings = Negatives(source="same", retriever="bm25", depth=depth, count=count, guard=guard or Guard())
        tally = Counter()
        source = open_source(tmp_path / "run.trec", tmp_path / "passages.jsonl", set(excluded), reworded)
        same = copies(anchors, known or {}, tmp_path / "passages.jsonl")
        found = draw(anchors, source, settings, 13, known or {}, tally, copies=same, **more)
        return {item.query_id: {one.id: one.text for one in items} for item, items in found}, dict(tally)

    return do


RUN = {f"q{number}": [(f"p{number + step}", 20.0 - step) for step in range(12)] for number in range(3)}
HUMAN = {f"p{number}": f"human text {number}" for number in range(30)}
OTHER = {name: f"other {text}" for name, text in HUMAN.items()}


def anchors(texts, queries=("q0", "q1", "q2")):
    return [WrittenPassage(f"p{name[1:]}", texts[f"p{name[1:]}"], name, f"{name}?") for name in queries]


@pytest.mark.parametrize("guard", [Guard(), Guard(skip_top=3)])
@pytest.mark.parametrize("count", [3, 11])
def test_the_same_passages_in_the_other_wording(drawn, guard, count):
    human, counts = drawn(RUN, HUMAN, anchors(HUMAN), guard=guard, count=count, excluded=["p4"])
    other, same = drawn(RUN, OTHER, anchors(OTHER), guard=guard, count=count, excluded=["p4"], reworded=True)
    assert counts == same
    assert [list(names) for names in other.values()] == [list(names) for names in human.values()]
    assert all(text == OTHER[name] for names in other.values() for name, text in names.items())
    assert not any("p4" in names for names in other.values())


def test_a_passage_without_another_wording_is_passed_over_and_counted(drawn):
    some = {name: text for name, text in OTHER.items() if name not in ("p2", "p3")}
    found, counts = drawn(RUN, some, anchors(OTHER), reworded=True, depth=4, count=2, guard=Guard(skip_top=1))
    # The first of five is skipped, be it lost: of p0 … p4, p1 … p5 and p2 … p6 these are left.
    assert {query: list(names) for query, names in found.items()} == {
        "q0": seeded(["p1", "p4"], 13, "q0"),
        "q1": seeded(["p4", "p5"], 13, "q1"),
        "q2": seeded(["p4", "p5", "p6"], 13, "q2")[:2],
    }
    assert counts == {"negatives_absent": 2 + 2 + 2, "negatives_at_random": 0}
    last = anchors(OTHER, ["q2"])
    found, _ = drawn(RUN, some, last, reworded=True, depth=4, count=3, guard=Guard(skip_top=1))
    assert set(found["q2"]) == {"p4", "p5", "p6"}


def test_what_else_was_written_for_the_query_is_no_negative(drawn):
    texts = {f"{query}@zero{place}": f"{query} {place}" for query in ("q1", "q2") for place in ("", "@2", "@3")}
    run = {"q1": [(name, 9.0 - place) for place, name in enumerate(texts)]}
    item = WrittenPassage("q1@zero", "q1 ", "q1", "q1?")
    found, counts = drawn(run, texts, [item], guard=Guard(known_positives=False))
    assert set(found["q1"]) == {"q2@zero", "q2@zero@2", "q2@zero@3"}
    assert counts == {"negatives_at_random": 0}


def test_passages_that_the_group_holds_are_not_drawn(drawn):
    found, _ = drawn(RUN, HUMAN, anchors(HUMAN, ["q0"]), count=6, taken={"q0": {"p1", "p2"}})
    *ranked, drawn_at_random = found["q0"]
    assert sorted(ranked) == ["p3", "p4", "p5", "p6", "p7"]
    assert int(drawn_at_random[1:]) >= 8


def test_labels(tmp_path):
    write_run(tmp_path / "run.trec", RUN, "x")
    write_jsonl(tmp_path / "passages.jsonl", [Passage(name, text) for name, text in HUMAN.items()])
    source = open_source(tmp_path / "run.trec", tmp_path / "passages.jsonl", set())
    settings = Negatives(source="human", retriever="bm25", count=2)
    ((_, items),) = draw(anchors(HUMAN, ["q0"]), source, settings, 13, {}, Counter(), copies={}, label=1.0)
    assert [item.label for item in items] == [1.0, 1.0]


def test_each_query_draws_its_own_of_candidates_that_all_have(drawn):
    """Thirty queries with one list: in one order for all, the same three would be everybody's negatives."""
    queries = [f"q{number}" for number in range(30)]
    run = {name: [(f"p{place}", 50.0 - place) for place in range(1, 30)] for name in queries}
    items = [WrittenPassage("p0", HUMAN["p0"], name, f"{name}?") for name in queries]
    found, _ = drawn(run, HUMAN, items, depth=30)
    times = Counter(name for names in found.values() for name in names)
    assert sum(times.values()) == 90
    assert len(times) >= 25, "90 draws of 29 leave 1.2 of them out, on average"
    assert max(times.values()) <= 9


def test_copies_of_relevant_passages_are_no_negatives(drawn):
    """The positive, a judged passage and another positive of the query, under other ids, retrieved or at random."""
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
    assert not {"p3", "p20"} & set(found["q0"]), "whatever the guard allows"


def test_a_copy_for_one_query_may_be_a_negative_of_another(drawn):
    texts = HUMAN | {"p5": HUMAN["p0"]}
    found, counts = drawn(RUN, texts, anchors(HUMAN, ["q0", "q1"]), count=7, depth=8)
    assert "p5" not in found["q0"]
    assert "p5" in found["q1"]
    assert counts["negatives_same_text"] == 1


@pytest.mark.parametrize("texts", [1000, 30, 7], ids="{} texts".format)
def test_gaps_are_filled_in_an_order_of_each_querys_own_and_the_collection_is_read_once(drawn, monkeypatch, texts):
    """As one loop over the whole collection for each query would; where few texts differ, it is read again."""
    collection = {f"p{place}": f"text {place % texts}" for place in range(200)}
    items = [WrittenPassage(f"p{place}", collection[f"p{place}"], f"q{place}", "?") for place in range(25)]
    reads = []
    monkeypatch.setattr(module, "texts_of", lambda path, names: reads.append(1) or texts_of(path, names))
    run = {f"q{place}": [(f"p{place + 40}", 1.0)] for place in range(25)}
    found, counts = drawn(run, collection, items, count=5)
    for item in items:
        first = f"p{int(item.id[1:]) + 40}"
        expected, seen = [first], {item.text, collection[first]}
        for name in seeded(collection.keys() - {item.id, first}, 13, item.query_id):
            if collection[name] not in seen:
                seen.add(collection[name])
                expected.append(name)
        assert list(found[item.query_id]) == expected[:5]
    assert counts["negatives_at_random"] == 25 * 4
    assert len(reads) == 2 if texts > 7 else 2 < len(reads) <= 4, "the texts of candidates, then those of all gaps"


def test_no_two_negatives_of_a_group_have_the_same_text(drawn):
    texts = (
        HUMAN | {f"p{place}": f"Twin  {place % 2}" for place in range(1, 7)} | {f"p{place}": "x" for place in (20, 21)}
    )
    run = {"q0": [(f"p{place}", 20.0 - place) for place in range(8)]}
    found, counts = drawn(run, texts, anchors(texts, ["q0"]), count=24)
    assert counts["negatives_at_random"] == 21, "p7 and one of each pair of twins stand in the run"
    said = [" ".join(text.lower().split()) for text in found["q0"].values()]
    assert len(set(said)) == len(said) == 24
    with pytest.raises(BudgetError, match="21 passages are left for query q0, 22 needed"):
        drawn(run, texts, anchors(texts, ["q0"]), count=25)


def test_a_reworded_relevant_passage_is_no_negative(drawn):
    """It has its human passage's id; its copy under another id is none either."""
    other = OTHER | {"p9": OTHER["p3"]}
    run = {"q0": [(f"p{place}", 20.0 - place) for place in range(12)]}
    found, counts = drawn(
        run, other, anchors(OTHER, ["q0"]), count=8, depth=12, known={"q0": {"p0", "p3"}}, reworded=True
    )
    assert not {"p0", "p3", "p9"} & set(found["q0"])
    assert counts["negatives_same_text"] == 1
