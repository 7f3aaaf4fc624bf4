"""Step teacher_trainset: recorded rankings in every format; only queries of the split train."""

import json
import os
from pathlib import Path

import pytest
from held_out_case import exclude

from synthrank.data.external_rankings import query_id_of
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Candidate, Group, Judgment, Passage, Query
from synthrank.data.trec import read_run
from synthrank.errors import BudgetError, DataError
from synthrank.steps.corpora.build_passages import build_passages
from synthrank.steps.corpora.build_queries import build_queries
from synthrank.steps.corpora.exclude_passages import exclude_passages
from synthrank.steps.trainsets.teacher_trainset import teacher_trainset

CONFIG = Path(__file__).parents[3] / "config"
SHARED = os.environ.get("SYNTHRANK_SHARED", "")
NAMES = [f"p{number}" for number in range(9)]
AGAIN = Query("again", "what is  it?")
"""It has the words of an earlier query; matching by words finds the earlier query."""


@pytest.fixture
def build(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(name, f"text of {name}") for name in NAMES])
    write_jsonl(tmp_path / "q.jsonl", [Query("q1", "what is it?"), Query("q2", "why?"), Query("7", "where?"), AGAIN])
    write_jsonl(tmp_path / "t.jsonl", [Query("t1", "Who asks?"), Query("t2", "when?")])

    def do(*files, held_out=(), **recipe):
        """Build the training set of files, each given as a list of objects."""
        paths = [tmp_path / f"f{number}.jsonl" for number in range(len(files))]
        for path, rows in zip(paths, files, strict=True):
            path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
        settings = {"kind": "teacher", "corpus": "c", "split": "train", "format": "ids", **recipe}
        settings["files"] = [f"teachers/{path.name}" for path in paths]
        (tmp_path / "r.yaml").write_text(json.dumps(settings))
        exclude(tmp_path, held_out)
        teacher_trainset(
            spec=tmp_path / "r.yaml", files=paths, queries=[tmp_path / "q.jsonl"] if settings["split"] else [],
            passages=tmp_path / "p.jsonl", excluded=tmp_path / "excluded.txt", held_out_queries=[tmp_path / "t.jsonl"],
            trainset=tmp_path / "g.jsonl", stats=tmp_path / "s.json",
        )  # fmt: skip
        return list(read_jsonl(tmp_path / "g.jsonl", Group)), json.loads((tmp_path / "s.json").read_text())

    return do


def ids(group):
    return [item.id for item in group.candidates]


def row(name, *passages, **more):
    return {"qid": name, "final": list(passages), **more}


def test_teacher_trainset_builds_one_group_per_ranking_of_the_split(build):
    groups, stats = build(
        [row("q1", "p3", "p1"), row("test-7", "p1", "p2"), row(7, "p1", "p2", "p0")], [row("q1", "p5", "p6")]
    )
    assert groups[0] == Group(
        "q1",
        "what is it?",
        (
            Candidate("p3", "text of p3", 1.0, "teachers/f0.jsonl"),
            Candidate("p1", "text of p1", 0.5, "teachers/f0.jsonl"),
        ),
    )
    assert [(group.query_id, group.query, ids(group)) for group in groups[1:]] == [
        ("7", "where?", ["p1", "p2", "p0"]),
        ("q1", "what is it?", ["p5", "p6"]),
    ]
    assert {item.source for item in groups[2].candidates} == {"teachers/f1.jsonl"}
    assert stats == {
        "queries": 2, "groups": 3, "candidates": 7, "padded": 0, "list_lengths": {"2": 2, "3": 1},
        "sources": {"teachers/f0.jsonl": 5, "teachers/f1.jsonl": 2},
        "labels": {"1.0000": 3, "0.5000": 3, "0.3333": 1}, "orders": 4, "other_queries": 1, "other_words": 0,
        "padding": 0, "held_out_answers": 0, "unknown_passages": 0, "too_short": 0,
    }  # fmt: skip


def test_teacher_trainset_uses_the_recipe_settings(build):
    rows = [{"name": "q1", "best": NAMES}, {"name": "q2", "best": ["p8", "p1"]}]
    groups, stats = build(
        rows, query_key="name", order_key="best", depth=4, label="rank", pad_short_lists_with_fake_passages=True
    )
    assert ids(groups[0]) == NAMES[:4]
    assert [item.label for item in groups[1].candidates] == [1.0, 0.75, 0.5, 0.25]
    assert [item.text for item in groups[1].candidates][2:] == ["<padding_passage>"] * 2
    assert stats["padded"] == 2


def test_teacher_trainset_matches_queries_without_ids_by_words(build):
    pairs = [("b", "two"), ("p1", "one")]
    passages = {"positive_passages": [], "retrieved_passages": [{"docid": n, "text": t} for n, t in pairs]}
    rows = [{"query": query, **passages} for query in (" what  is it?", "What is it?")]
    groups, stats = build(rows, format="records")
    assert [(group.query_id, group.query) for group in groups] == [("q1", "what is it?")]
    assert [(item.id, item.text) for item in groups[0].candidates] == pairs
    assert (stats["orders"], stats["other_queries"], stats["unknown_passages"]) == (2, 1, 0)


def test_teacher_trainset_removes_and_counts_padding(build):
    padding = {"docid": None, "text": "<padding_passage>"}
    passages = [{"docid": "b", "text": "two"}, {"docid": "a", "text": "one"}, padding, padding]
    rows = [
        {"query": "what is it?", "retrieved_passages": passages},
        {"query": "why?", "retrieved_passages": passages[1:]},
    ]
    groups, stats = build(rows, format="records")
    assert [ids(group) for group in groups] == [["b", "a"]]
    assert (stats["padding"], stats["padded"], stats["too_short"]) == (4, 0, 1)
    groups, stats = build(rows, format="records", depth=3, pad_short_lists_with_fake_passages=True)
    assert ids(groups[0]) == ["b", "a", "<padding_passage>@2"]
    assert (stats["padding"], stats["padded"]) == (4, 1)


def test_teacher_trainset_reads_a_run(build):
    groups, _ = build(["q1 Q0 p1 1 0.5 t\nq1 Q0 p2 2 0.7 t\n", "q9 Q0 p1 1 1 t\n"], format="trec")
    assert [(group.query, ids(group)) for group in groups] == [("what is it?", ["p2", "p1"])]


def test_teacher_trainset_counts_queries_with_other_words(build):
    _, stats = build(
        [row("q1", "p1", "p2", query="what is it?"), row("q2", "p1", "p2", query="who?"), row("7", "p1", "p2")]
    )
    assert stats["other_words"] == 1


def test_teacher_trainset_removes_held_out_answers_before_the_depth(build):
    held_out = [Judgment("t", "p3", 2), Judgment("t", "p4", 0)]
    groups, stats = build(
        [row("q1", "p3", "p4", "p1", "p2"), row("q2", "p3", "p1"), row("x", "p3", "p1")], held_out=held_out, depth=2
    )
    assert [(ids(group), [item.label for item in group.candidates]) for group in groups] == [(["p4", "p1"], [1.0, 0.5])]
    assert (stats["held_out_answers"], stats["too_short"], stats["other_queries"]) == (2, 1, 1)


def test_teacher_trainset_keeps_texts_aligned_after_removals(build):
    passages = [{"docid": name, "text": f"own {name}"} for name in ("p1", "x", "p3")]
    groups, _ = build(
        [{"query": "why?", "retrieved_passages": passages}], held_out=[Judgment("t", "p1", 1)], format="records"
    )
    assert [(item.id, item.text) for item in groups[0].candidates] == [("x", "own x"), ("p3", "own p3")]


def test_teacher_trainset_without_a_split_uses_all_but_held_out_queries(build):
    """The queries of the published distillation set are sentences and predicted queries, which are in no split."""
    passages = [{"docid": "x", "text": "own x"}, {"docid": "p1", "text": "own p1"}]
    asked = ("who  asks?", "a cropped sentence", "what is it?", "When? ")
    groups, stats = build(
        [{"query": query, "retrieved_passages": passages} for query in asked], split=None, format="records"
    )
    assert [(group.query_id, group.query) for group in groups] == [
        (query_id_of("a cropped sentence"), "a cropped sentence"),
        (query_id_of("what is it?"), "what is it?"),
    ]
    assert (stats["orders"], stats["other_queries"], stats["other_words"]) == (4, 2, 0)
    groups, stats = build([row("t2", "p1", "p2", query="else?"), row("q9", "p1", "p2", query="new?")], split=None)
    assert [(group.query_id, group.query) for group in groups] == [("q9", "new?")]
    with pytest.raises(DataError, match=r"f0\.jsonl: query q1 has no text; state the split of its text in the recipe$"):
        build([row("q1", "p1", "p2")], split=None)


def test_teacher_trainset_refuses_or_drops_unknown_passages(build, tmp_path):
    rows = [row("q1", "x", "p1", "y", "p2", "p3"), row("q2", "z", "p1"), row("x", "unused", "p1")]
    with pytest.raises(DataError, match=r"p\.jsonl: 2 ranked passages are missing, first 'x', and the .* drop"):
        build(rows, depth=2)
    assert not (tmp_path / "g.jsonl").exists()
    groups, stats = build(rows, depth=2, unknown_passages="drop")
    assert [ids(group) for group in groups] == [["p1", "p2"]]
    assert (stats["unknown_passages"], stats["too_short"]) == (3, 1)
    assert ids(build([row("q1", "p1", "p2", "x")], depth=2)[0][0]) == ["p1", "p2"], (
        "passages beyond the depth are not needed"
    )


def test_teacher_trainset_refuses_files_without_usable_rankings(build, tmp_path):
    with pytest.raises(
        BudgetError, match=r"r\.yaml: no training query has a ranking of 2 passages; add longer rankings$"
    ):
        build([row("other", "p1", "p2"), row("q1", "p1")])
    assert not (tmp_path / "g.jsonl").exists()


def test_teacher_trainset_refuses_another_format(build):
    with pytest.raises(DataError, match=r"f1\.jsonl:1: has no final, keys are query, hits$"):
        build([row("q1", "p1", "p2")], [{"query": "q", "hits": []}])


@pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED does not name the shared collections")
def test_teacher_trainset_of_recorded_dl20_rankings(tmp_path, monkeypatch):
    """Three files with 54 queries, 43 of them for training; every ranking has 30 of its first stage's 100 passages."""
    monkeypatch.setenv("SYNTHRANK_DATA", f"{SHARED}/collections")
    corpus, passages = CONFIG / "corpora/trec-dl20-pool.yaml", tmp_path / "p.jsonl"
    build_passages(spec=corpus, passages=passages, stats=tmp_path / "p.json")
    for split in ("train", "dev"):
        folder = tmp_path / split
        build_queries(
            spec=corpus, split=split, passages=passages, queries=folder / "q.jsonl", qrels=folder / "qrels.txt"
        )
    exclude_passages(qrels=[tmp_path / "dev/qrels.txt"], excluded=tmp_path / "excluded.txt")
    stages = ("bm25", "bm25rm3", "splade")
    files = [Path(SHARED, f"golden/sliding-window/rankvicuna.{stage}.dl20.jsonl") for stage in stages]
    teacher_trainset(
        spec=CONFIG / "recipes/dl20-teacher.yaml", files=files, queries=[tmp_path / "train/q.jsonl"],
        passages=passages, excluded=tmp_path / "excluded.txt", held_out_queries=[tmp_path / "dev/q.jsonl"],
        trainset=tmp_path / "g.jsonl", stats=tmp_path / "s.json",
    )  # fmt: skip
    groups, stats = list(read_jsonl(tmp_path / "g.jsonl", Group)), json.loads((tmp_path / "s.json").read_text())
    assert (stats["orders"], stats["other_queries"], stats["groups"], stats["queries"]) == (162, 33, 129, 43)
    assert stats["list_lengths"] == {"30": 129}
    assert stats["other_words"] == stats["held_out_answers"] == 0
    runs = {stage: read_run(Path(SHARED, f"collections/trec-dl20/runs/{stage}.trec")) for stage in stages}
    for group in groups:
        (source,) = {item.source for item in group.candidates}
        first = [name for name, _ in runs[source.split(".")[1]][group.query_id]]
        assert set(ids(group)) <= set(first[:100])
        assert ids(group) != first[:30]
