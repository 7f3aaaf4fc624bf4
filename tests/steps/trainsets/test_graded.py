"""Groups of graded recipes: labels, complete levels only, and no answers to held-out queries."""

import json

import pytest
from held_out_case import exclude

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Candidate, Group, Judgment, Passage, Query, WrittenPassage
from synthrank.data.sampling import shuffle
from synthrank.data.trec import write_qrels, write_run
from synthrank.errors import BudgetError
from synthrank.steps.trainsets.pair_trainset import pair_trainset

LEVELS = (3, 2, 1, 0)
QUERIES = [f"q{number}" for number in range(8)]
ORDER = shuffle(QUERIES, 13)


@pytest.fixture
def build(tmp_path):
    """Return a function that builds a recipe with queries q0… and answers p0…, and returns (groups, counts)."""
    folder = tmp_path
    write_jsonl(folder / "corpus.jsonl", [Passage(f"p{number}", f"words of w{number}") for number in range(40)])
    write_jsonl(folder / "queries.jsonl", [Query(name, f"{name}?") for name in QUERIES])
    run = {name: [(f"p{(int(name[1:]) + step) % 40}", 50.0 - step) for step in range(20)] for name in QUERIES}
    write_run(folder / "corpus.trec", run, "x")

    def do(queries=4, negatives=None, size=0, qrels=None, held_out=(), written=QUERIES, extra=(), **recipe):
        judged = qrels or [Judgment(name, f"p{name[1:]}", 1) for name in QUERIES]
        write_qrels(folder / "qrels.txt", judged)
        exclude(folder, [Judgment("t", name, 1) for name in held_out])
        rows = [WrittenPassage(f"{name}@graded@{level}", f"{level} for {name}", name, f"{name}?", level)
                for name in written for level in LEVELS]  # fmt: skip
        write_jsonl(folder / "written.jsonl", rows)
        spec = {"kind": "graded", "corpus": "c", "paradigm": "graded", "queries": queries, **recipe}
        if negatives:
            spec["negatives"] = {"source": "human", "retriever": "bm25", "depth": 10, **negatives}
        (folder / "recipe.yaml").write_text(json.dumps(spec))
        dropped = {name: [] for name in ("queries", "qrels", "passages", "retriever", "model")} | dict(extra)
        pair_trainset(
            spec=folder / "recipe.yaml", size=size, queries=[folder / "queries.jsonl"], qrels=folder / "qrels.txt",
            passages=[folder / "corpus.jsonl"] * ("human_label" in recipe), excluded=folder / "excluded.txt",
            positives=[folder / "written.jsonl"], filters=[], reworded=[], teacher=[], teacher_model=[],
            negative_runs=[folder / "corpus.trec"] * bool(negatives),
            negative_passages=[folder / "corpus.jsonl"] * bool(negatives),
            **{f"dropped_{name}": paths for name, paths in dropped.items()},
            guard_retriever=[], guard_model=[], trainset=folder / "groups.jsonl", stats=folder / "stats.json",
        )  # fmt: skip
        return list(read_jsonl(folder / "groups.jsonl", Group)), json.loads((folder / "stats.json").read_text())

    return do


def test_graded_group_matches_an_example_by_hand(build):
    groups, stats = build()
    assert [group.query_id for group in groups] == ORDER[:4], "the order is the one of recipes of pairs"
    name = ORDER[0]
    assert groups[0] == Group(name, f"{name}?", tuple(
        Candidate(f"{name}@graded@{level}", f"{level} for {name}", float(level), "graded") for level in LEVELS
    ))  # fmt: skip
    assert stats == {"graded": {"groups": 4, "queries": 4, "queries_replaced": 0, "negatives_at_random": 0}}


def test_graded_group_labels_human_generated_and_negative_passages(build):
    """SyCL: human passages get the label of level 3, retrieved passages the label of level 1."""
    groups, _ = build(human_label=3, negative_label=1, negatives={"count": 2})
    for group in groups:
        number = int(group.query_id[1:])
        assert [item.label for item in group.candidates] == [3, 3, 2, 1, 1, 1, 0]
        assert [item.source for item in group.candidates] == [
            "human", "graded", "graded", "graded", "human", "human", "graded",
        ]  # fmt: skip
        assert group.candidates[0] == Candidate(f"p{number}", f"words of w{number}", 3.0, "human")
        retrieved = [item.id for item in group.candidates if item.label == 1 and item.source == "human"]
        assert retrieved == shuffle([f"p{number + step}" for step in range(1, 10)], 13, group.query_id)[:2]


def test_graded_recipe_with_another_size(build):
    assert build(queries=6, size=3, negatives={"count": 2}) == build(queries=3, negatives={"count": 2})


def test_graded_recipe_replaces_a_query_without_levels(build):
    groups, stats = build(written=[name for name in QUERIES if name != ORDER[1]])
    assert [group.query_id for group in groups] == [ORDER[0], *ORDER[2:5]]
    assert stats["graded"]["queries_replaced"] == 1


def test_graded_recipe_skips_a_query_without_a_human_passage(build):
    qrels = [Judgment(name, f"p{name[1:]}", int(name != ORDER[0])) for name in QUERIES]
    groups, stats = build(human_label=2.5, qrels=qrels)
    assert [group.query_id for group in groups] == ORDER[1:5]
    assert [item.label for item in groups[0].candidates] == [3, 2.5, 2, 1, 0]
    assert stats["graded"]["queries_without_human"] == 1
    assert "queries_without_human" not in build(qrels=qrels)[1]["graded"]


def test_graded_group_has_the_best_human_passage(build):
    qrels = [Judgment(name, f"p{20 + step}", step) for name in QUERIES for step in (1, 3, 2)]
    groups, _ = build(human_label=3, qrels=qrels)
    assert {group.candidates[0].id for group in groups} == {"p23"}
    groups, _ = build(human_label=3, qrels=qrels, held_out=["p23"])
    assert {group.candidates[0].id for group in groups} == {"p22"}


def test_graded_group_draws_among_human_passages_of_equal_grade(build):
    qrels = [Judgment(name, f"p{20 + step}", 1) for name in QUERIES for step in range(10)]
    names = [f"p{20 + step}" for step in range(10)]
    groups, _ = build(human_label=4, qrels=qrels, queries=8)
    found = {group.query_id: group.candidates[0].id for group in groups}
    assert found == {name: shuffle(names, 13, name)[0] for name in QUERIES}
    assert len(set(found.values())) > 3


def test_graded_groups_have_no_answer_to_a_held_out_query(build):
    first = f"p{ORDER[0][1:]}"
    held_out = [first, *(f"p{number}" for number in range(9, 40, 2))]
    groups, stats = build(human_label=3, negatives={"count": 4}, held_out=held_out, queries=3)
    assert not {item.id for group in groups for item in group.candidates} & set(held_out)
    assert ORDER[0] not in [group.query_id for group in groups]
    assert stats["graded"]["queries_without_human"] >= 1


def test_graded_group_never_uses_its_human_passage_as_negative(build):
    groups, _ = build(human_label=3, negatives={"count": 9, "guard": {"known_positives": False}})
    for group in groups:
        ids = [item.id for item in group.candidates]
        assert len(set(ids)) == len(ids) == 4 + 1 + 9


def test_graded_guard_compares_with_the_best_generated_passage(build):
    """Two of the three words of `words of w7` are in the human passage, and none in a generated passage."""
    _, stats = build(human_label=3, negatives={"count": 2, "guard": {"max_overlap": 0.5}})
    assert stats["graded"]["negatives_at_random"] == 0


def test_graded_recipe_skips_a_query_with_an_overlapping_passage(build, tmp_path):
    write_jsonl(tmp_path / "test-queries.jsonl", [Query("t1", "what is tested?")])
    write_qrels(tmp_path / "test-qrels.txt", [Judgment("t1", "x1", 1), Judgment("t1", "x2", 1)])
    leaking = [Passage("x1", f"2 FOR {ORDER[0]}"), Passage("x2", f"words of w{ORDER[1][1:]}!")]
    write_jsonl(tmp_path / "test-passages.jsonl", leaking)
    extra = {"queries": [tmp_path / "test-queries.jsonl"], "qrels": [tmp_path / "test-qrels.txt"],
             "passages": [tmp_path / "test-passages.jsonl"]}  # fmt: skip
    groups, stats = build(extra=extra, drop_leaks={"testsets": ["t"]})
    assert [group.query_id for group in groups] == ORDER[1:5], "a level overlaps"
    assert stats["graded"]["leaking_passage"] == 1
    groups, _ = build(extra=extra, drop_leaks={"testsets": ["t"]}, human_label=3)
    assert [group.query_id for group in groups] == ORDER[2:6], "a human passage overlaps too"
    assert all(len(group.candidates) == 5 for group in groups)


def test_graded_recipe_refuses_too_few_queries(build, tmp_path):
    with pytest.raises(
        BudgetError, match=r"written\.jsonl: 2 of 8 .*, but the recipe asks for 3; set queries to at most 2"
    ):
        build(queries=3, written=QUERIES[:2])
    assert not (tmp_path / "groups.jsonl").exists()
