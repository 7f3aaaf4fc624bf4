"""Step distil_trainset: labels are the teacher's cosines."""

import json

import numpy as np
import pytest
from held_out_case import exclude

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Group, Judgment, Passage, Query
from synthrank.data.trec import write_run
from synthrank.errors import BudgetError
from synthrank.steps.trainsets import distil_trainset as module
from synthrank.steps.trainsets.distil_trainset import distil_trainset

TEXTS = {
    "p1": "Settings are read once when the server starts.",
    "p2": "Bees dance to tell the hive where flowers are.",
    "p3": "The river rises in the mountains.",
    "p4": "Bread needs flour, water, salt and yeast.",
    "p5": "The spider follows links and stores every page.",
}
QUERIES = [Query("t:p1", "settings of the server", "p1"), Query("t:p2", "bees and flowers", "p2"),
           Query("t:p3", "the river", "p3"), Query("t:p9", "no hit", "")]  # fmt: skip
RUN = {
    "t:p1": [("p1", 9.0), ("p5", 8.0), ("p2", 7.0), ("p4", 6.0), ("p3", 5.0)],
    "t:p2": [("p3", 4.0), ("p2", 3.0), ("p4", 2.0)],
    "t:p3": [("p3", 4.0), ("p4", 3.0), ("p1", 2.0)],
}


@pytest.fixture
def distil(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(name, text) for name, text in TEXTS.items()])
    write_jsonl(tmp_path / "q.jsonl", QUERIES)
    (tmp_path / "teacher.yaml").write_text(
        "kind: dense\nmodel: m\nquery_prefix: 'question: '\npassage_prefix: 'text: '\nmax_length: 32\n"
    )

    def do(model, depth=3, held_out=(), run=RUN):
        (tmp_path / "r.yaml").write_text(
            f"kind: distil\ncorpus: c\nqueries: titles\nretriever: bm25\ndepth: {depth}\nteacher: teacher\n"
        )
        write_run(tmp_path / "run.trec", run, "x")
        exclude(tmp_path, [Judgment("h", name, 1) for name in held_out])
        distil_trainset(
            spec=tmp_path / "r.yaml", queries=tmp_path / "q.jsonl", run=tmp_path / "run.trec",
            passages=tmp_path / "p.jsonl", excluded=tmp_path / "excluded.txt", teacher=tmp_path / "teacher.yaml",
            model=model, trainset=tmp_path / "g.jsonl", stats=tmp_path / "s.json",
        )  # fmt: skip
        return list(read_jsonl(tmp_path / "g.jsonl", Group)), json.loads((tmp_path / "s.json").read_text())

    return do


@pytest.mark.usefixtures("one_thread")
def test_distil_trainset_labels_candidates_with_cosines(distil, encoder):
    from sentence_transformers import SentenceTransformer

    groups, stats = distil(encoder)
    assert [group.query_id for group in groups] == ["t:p1", "t:p2", "t:p3"]
    assert {item.id for item in groups[0].candidates} == {"p5", "p2", "p4"}, "depth excludes the source passage"
    assert {item.id for item in groups[1].candidates} == {"p3", "p4"}
    assert stats == {"queries": 4, "groups": 3, "candidates": 7}
    model = SentenceTransformer(str(encoder), device="cpu")
    for group in groups:
        query = model.encode("question: " + group.query)
        for item in group.candidates:
            passage = model.encode("text: " + TEXTS[item.id])
            cosine = float(np.dot(query, passage) / np.linalg.norm(query) / np.linalg.norm(passage))
            assert item.label == pytest.approx(cosine, abs=2e-6)
            assert (item.text, item.source) == (TEXTS[item.id], "bm25")
        labels = [item.label for item in group.candidates]
        assert labels == sorted(labels, reverse=True)
        assert len(set(labels)) == len(labels)


class Fake:
    """Unit vectors: the angle of a passage is its position in TEXTS, the angle of a query is zero."""

    def passages(self, texts):
        places = [list(TEXTS.values()).index(text) / 10 for text in texts]
        return np.array([[np.cos(place), np.sin(place)] for place in places], dtype=np.float32)

    def queries(self, texts):
        return np.array([[1.0, 0.0]] * len(texts), dtype=np.float32)


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(module, "open_encoder", lambda spec, model: Fake())


@pytest.mark.usefixtures("fake")
def test_distil_trainset_removes_held_out_answers_before_the_depth(distil, tmp_path):
    groups, stats = distil(tmp_path, depth=2, held_out=["p5", "p4"])
    assert [(item.id, item.label) for item in groups[0].candidates] == [
        ("p2", pytest.approx(np.cos(0.1), abs=1e-6)), ("p3", pytest.approx(np.cos(0.2), abs=1e-6)),
    ]  # fmt: skip
    assert [group.query_id for group in groups] == ["t:p1"], "other queries have one candidate left"
    assert stats == {"queries": 4, "groups": 1, "candidates": 2}


@pytest.mark.usefixtures("fake")
def test_distil_trainset_refuses_queries_with_one_candidate(distil, tmp_path):
    with pytest.raises(BudgetError, match=r"run\.trec: no query has two candidates"):
        distil(tmp_path, run={"t:p1": [("p1", 1.0), ("p2", 0.5)]})
