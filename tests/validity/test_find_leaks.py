"""The step: every offending text listed, and all of them counted."""

import json

import pytest

from synthrank.files import json_lines, write_jsonl
from synthrank.records import Candidate, Exemplar, Group, Judgment, Passage, Query, WrittenPassage
from synthrank.specs.leaks import LeakTests
from synthrank.trec import write_qrels
from synthrank.validity.find_leaks import find_leaks

pytestmark = pytest.mark.usefixtures("one_thread")

ROSE = "Water the rose every three days in summer, and less in winter, when it rests."
SOUP = "Cook the soup for ten minutes over a low flame, and stir it now and then."
OTHER = "The bundle holds the program, the interpreter and all libraries that the program imports."


@pytest.fixture
def find(tmp_path, encoder):
    """Return a function that runs the step against a test set of one query and one relevant passage."""
    (tmp_path / "dense.yaml").write_text("kind: dense\nmodel: tiny\nmax_length: 64\n")
    write_jsonl(tmp_path / "queries.jsonl", [Query("t1", "How often is the rose watered?")])
    write_jsonl(tmp_path / "corpus.jsonl", [Passage("d1", ROSE), Passage("d2", SOUP), Passage("d3", OTHER)])
    write_qrels(tmp_path / "qrels.txt", [Judgment("t1", "d1", 1), Judgment("t1", "d2", 0), Judgment("t1", "absent", 2)])

    def run(records, exemplars=(), **tests):
        write_jsonl(tmp_path / "data.jsonl", records)
        write_jsonl(tmp_path / "exemplars.jsonl", exemplars)
        stated = LeakTests(**{"ngrams": (8,), **tests})
        find_leaks(
            data=tmp_path / "data.jsonl", exemplars=[tmp_path / "exemplars.jsonl"] if exemplars else [],
            testsets=["gardens"], queries=[tmp_path / "queries.jsonl"], qrels=[tmp_path / "qrels.txt"],
            passages=[tmp_path / "corpus.jsonl"], retriever=[tmp_path / "dense.yaml"], model=[encoder],
            tests=stated.model_dump_json(), leaks=tmp_path / "leaks.jsonl", counts=tmp_path / "leaks.json",
        )  # fmt: skip
        rows = [row for _, row in json_lines(tmp_path / "leaks.jsonl")]
        return rows, json.loads((tmp_path / "leaks.json").read_text())

    return run


def test_a_relevant_passage_that_is_trained_on_is_shown(find):
    groups = [
        Group("q1", "Rose?", (Candidate("d1", ROSE, 1.0), Candidate("d2", SOUP, 0.0))),
        Group("q2", "how often is the rose watered", (Candidate("d3", OTHER, 1.0), Candidate("d1", ROSE, 0.0))),
        Group("q3", "Soup?", (Candidate("d2", SOUP, 1.0), Candidate("d9", f"So: {ROSE}", 0.0))),
    ]
    rows, counts = find(groups)
    eight = "water the rose every three days in summer"
    assert rows == [
        {"testset": "gardens", "kind": "exact", "what": "query", "id": "q2", "text": "how often is the rose watered",
         "test_side": "query", "test_id": "t1", "evidence": ""},
        {"testset": "gardens", "kind": "exact", "what": "passage", "id": "d1", "text": ROSE,
         "test_side": "passage", "test_id": "d1", "evidence": ""},
        {"testset": "gardens", "kind": "8-gram", "what": "passage", "id": "d1", "text": ROSE,
         "test_side": "passage", "test_id": "d1", "evidence": eight},
        {"testset": "gardens", "kind": "8-gram", "what": "negative", "id": "d9", "text": f"So: {ROSE}",
         "test_side": "passage", "test_id": "d1", "evidence": eight},
    ]  # fmt: skip
    assert counts == {
        "compared": {"query": 3, "passage": 3, "negative": 1, "exemplar": 0},
        "testsets": {"gardens": {"query": 1, "passage": 1}},
        "leaks": {
            "gardens": {
                "exact": {"query": 1, "passage": 1, "negative": 0, "exemplar": 0},
                "8-gram": {"query": 0, "passage": 1, "negative": 1, "exemplar": 0},
            }
        },
    }


def test_exemplars_leak_as_passages_and_as_queries(find):
    exemplars = [Exemplar("d1", ROSE, "q7", "How often is the rose watered?"), Exemplar("d3", OTHER)]
    rows, counts = find([WrittenPassage("q1@zero", SOUP, "q1", "Soup?")], exemplars, ngrams=())
    assert [(row["what"], row["id"], row["test_id"]) for row in rows] == [
        ("exemplar", "q7", "t1"), ("exemplar", "d1", "d1"),
    ]  # fmt: skip
    assert counts["compared"] == {"query": 1, "passage": 1, "negative": 0, "exemplar": 3}
    assert counts["leaks"]["gardens"]["exact"] == {"query": 0, "passage": 0, "negative": 0, "exemplar": 2}


def test_near_duplicates_by_the_model(find):
    reworded = ROSE.replace("Water", "water,")
    rows, counts = find(
        [WrittenPassage("a", reworded, "q1", "Soup?"), WrittenPassage("b", OTHER, "q2", "Bundle?")],
        exact=False, ngrams=(), cosine=0.97, retriever="x",
    )  # fmt: skip
    near = [(row["what"], row["id"], row["kind"]) for row in rows]
    assert ("passage", "a", "cosine") in near
    assert all(float(row["evidence"]) >= 0.97 for row in rows)
    assert list(counts["leaks"]["gardens"]) == ["cosine"]


def test_a_readable_part_of_a_long_text_is_shown(find):
    rows, _ = find([WrittenPassage("a", f"{ROSE} " + "more " * 100, "q1", "x")])
    assert len(rows[0]["text"].split()) == 41
    assert rows[0]["text"].endswith("…")
