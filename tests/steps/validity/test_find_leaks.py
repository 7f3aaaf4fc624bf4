"""Step find_leaks: list and count all overlapping texts."""

import json

import pytest

from synthrank.config.leaks import LeakTests
from synthrank.data.files import json_lines, write_jsonl
from synthrank.data.records import Candidate, Exemplar, Group, Judgment, Passage, Query, WrittenPassage
from synthrank.data.trec import write_qrels
from synthrank.steps.validity.encode_testset import encode_testset
from synthrank.steps.validity.find_leaks import find_leaks

pytestmark = pytest.mark.usefixtures("one_thread")

ROSE = "Water the rose every three days in summer, and less in winter, when it rests."
SOUP = "Cook the soup for ten minutes over a low flame, and stir it now and then."
OTHER = "The bundle holds the program, the interpreter and all libraries that the program imports."


@pytest.fixture
def find(tmp_path, encoder):
    """Return a function that runs the step with a test set of one query and one relevant passage."""
    (tmp_path / "dense.yaml").write_text("kind: dense\nmodel: tiny\nmax_length: 64\n")
    write_jsonl(tmp_path / "queries.jsonl", [Query("t1", "How often is the rose watered?")])
    write_jsonl(tmp_path / "corpus.jsonl", [Passage("d1", ROSE), Passage("d2", SOUP), Passage("d3", OTHER)])
    write_qrels(tmp_path / "qrels.txt", [Judgment("t1", "d1", 1), Judgment("t1", "d2", 0), Judgment("t1", "absent", 2)])

    encode_testset(
        queries=tmp_path / "queries.jsonl", qrels=tmp_path / "qrels.txt", passages=tmp_path / "corpus.jsonl",
        spec=tmp_path / "dense.yaml", model=encoder, words=32, vectors=tmp_path / "vectors",
    )  # fmt: skip

    def run(records, exemplars=(), **tests):
        write_jsonl(tmp_path / "data.jsonl", records)
        write_jsonl(tmp_path / "exemplars.jsonl", exemplars)
        stated = LeakTests(**{"ngrams": (8,), **tests})
        find_leaks(
            data=tmp_path / "data.jsonl", exemplars=[tmp_path / "exemplars.jsonl"] if exemplars else [],
            testsets=["gardens"], queries=[tmp_path / "queries.jsonl"], qrels=[tmp_path / "qrels.txt"],
            passages=[tmp_path / "corpus.jsonl"], vectors=[tmp_path / "vectors"],
            retriever=[tmp_path / "dense.yaml"], model=[encoder], tests=stated.model_dump_json(),
            leaks=tmp_path / "leaks.jsonl", counts=tmp_path / "leaks.json",
        )  # fmt: skip
        rows = [row for _, row in json_lines(tmp_path / "leaks.jsonl")]
        return rows, json.loads((tmp_path / "leaks.json").read_text())

    return run


def test_find_leaks_lists_a_relevant_passage_in_training(find):
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


def test_find_leaks_searches_a_passage_and_its_reworded_version_with_the_same_id(find):
    groups = [
        Group("q1", "Rose?", (Candidate("d1", ROSE, 1.0), Candidate("d2", SOUP, 0.0))),
        Group("q1", "Rose?", (Candidate("d1", "Roses need water.", 1.0), Candidate("d2", OTHER, 0.0))),
        Group("q2", "Soup?", (Candidate("d2", "Stir the soup.", 1.0), Candidate("d1", ROSE, 0.0))),
    ]
    _, counts = find(groups)
    assert counts["compared"] == {"query": 2, "passage": 3, "negative": 2, "exemplar": 0}
    assert counts["leaks"]["gardens"]["exact"]["passage"] == 1


def test_find_leaks_compares_passages_and_queries_of_exemplars(find):
    exemplars = [Exemplar("d1", ROSE, "q7", "How often is the rose watered?"), Exemplar("d3", OTHER)]
    rows, counts = find([WrittenPassage("q1@zero", SOUP, "q1", "Soup?")], exemplars, ngrams=())
    assert [(row["what"], row["id"], row["test_id"]) for row in rows] == [
        ("exemplar", "q7", "t1"), ("exemplar", "d1", "d1"),
    ]  # fmt: skip
    assert counts["compared"] == {"query": 1, "passage": 1, "negative": 0, "exemplar": 3}
    assert counts["leaks"]["gardens"]["exact"] == {"query": 0, "passage": 0, "negative": 0, "exemplar": 2}


def test_find_leaks_finds_near_duplicates_by_vectors(find):
    reworded = ROSE.replace("Water", "water,")
    rows, counts = find(
        [WrittenPassage("a", reworded, "q1", "Soup?"), WrittenPassage("b", OTHER, "q2", "Bundle?")],
        exact=False, ngrams=(), cosine=0.97, retriever="x",
    )  # fmt: skip
    near = [(row["what"], row["id"], row["kind"]) for row in rows]
    assert ("passage", "a", "cosine") in near
    assert all(float(row["evidence"]) >= 0.97 for row in rows)
    assert list(counts["leaks"]["gardens"]) == ["cosine"]


def test_find_leaks_cuts_long_texts(find):
    rows, _ = find([WrittenPassage("a", f"{ROSE} " + "more " * 100, "q1", "x")])
    assert len(rows[0]["text"].split()) == 41
    assert rows[0]["text"].endswith("…")
