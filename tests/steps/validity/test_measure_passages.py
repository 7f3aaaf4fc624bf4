"""Step measure_passages: statistics per pair and per distinct passage; null if undefined."""

import csv
import json

import pytest

from synthrank.data.files import write_jsonl
from synthrank.data.records import Candidate, Group, WrittenPassage
from synthrank.data.words import cut_out_words, first_words, words_of
from synthrank.errors import DataError
from synthrank.steps.validity.measure_passages import measure_passages

pytestmark = pytest.mark.usefixtures("one_thread")

BREAD = "Bread needs flour, water, salt and yeast, and time for the dough to rise."
RIVER = "As an AI, I say: the river rises in the mountains and reaches the sea near the old town."


@pytest.fixture
def measure(tmp_path, encoder):
    """Return a function that runs the step on records and returns statistics and rows."""
    spec = tmp_path / "dense.yaml"
    spec.write_text("kind: dense\nmodel: tiny\nmax_length: 64\n")

    def run(records, sample=100, refusals=("as an ai",), seed=13, reference=()):
        write_jsonl(tmp_path / "data.jsonl", records)
        write_jsonl(tmp_path / "reference.jsonl", reference)
        measure_passages(
            data=tmp_path / "data.jsonl", reference=[tmp_path / "reference.jsonl"] if reference else [], retriever=spec,
            model=encoder, sample=sample, refusals=list(refusals), seed=seed,
            statistics=tmp_path / "statistics.json", controls=tmp_path / "controls.json",
            passages=tmp_path / "passages.csv",
        )  # fmt: skip
        text = (tmp_path / "statistics.json").read_text()
        assert "NaN" not in text
        with (tmp_path / "passages.csv").open() as stream:
            return json.loads(text), list(csv.DictReader(stream))

    return run


def test_measure_passages_of_a_training_set(measure):
    groups = [
        Group("q1", "What does bread need?", (Candidate("p1", BREAD, 1.0), Candidate("n", "no positive", 0.0))),
        Group("q1", "What does bread need?", (Candidate("p1", BREAD, 1.0), Candidate("p2", RIVER, 0.5))),
        Group("q2", "Where is the dough?", (Candidate("p1", BREAD, 3.0), Candidate("n", "no positive", 0.0))),
    ]
    found, rows = measure(groups)
    assert rows == [
        {"query_id": "q1", "passage_id": "p1", "words": "14", "query_overlap": "0.2500"},
        {"query_id": "q1", "passage_id": "p2", "words": "19", "query_overlap": "0.0000"},
        {"query_id": "q2", "passage_id": "p1", "words": "14", "query_overlap": "0.5000"},
    ]
    assert (found["pairs"], found["queries"], found["passages"], found["empty"]) == (3, 2, 2, 0)
    assert found["passages_per_query"] == 1.5
    assert found["words"]["mean"] == pytest.approx(47 / 3)
    assert found["query_overlap"]["mean"] == pytest.approx(0.25)
    # without stop words: 1/4 and 0/4 for `what does bread need`, 1/2 for `where dough`
    assert found["query_overlap_without_stop_words"] == pytest.approx(0.25)
    assert found["refusals"] == 0.5
    assert found["languages"] == {"en": 2}
    assert found["near_duplicates"] == 0
    assert found["sample"] == 2
    assert 1 < found["effective_passages"] <= 2
    assert -1 <= found["mean_cosine"] < 1
    assert found["segmental_type_token_ratio"] is None, "no passage has 50 words"


def test_measure_passages_counts_a_passage_and_its_reworded_version_with_the_same_id(measure):
    groups = [
        Group("q1", "Which river?", (Candidate("p1", RIVER, 1.0), Candidate("n", "no positive", 0.0))),
        Group("q1", "Which river?", (Candidate("p1", BREAD, 1.0), Candidate("n", "no positive", 0.0))),
        Group("q2", "And the sea?", (Candidate("p1", BREAD, 1.0), Candidate("n", "no positive", 0.0))),
    ]
    found, rows = measure(groups)
    assert [(row["query_id"], row["passage_id"], row["words"]) for row in rows] == [
        ("q1", "p1", "19"), ("q1", "p1", "14"), ("q2", "p1", "14"),
    ]  # fmt: skip
    assert (found["pairs"], found["queries"], found["passages"]) == (3, 2, 2)
    assert found["passages_per_query"] == 1.5
    assert found["words"]["mean"] == pytest.approx(47 / 3)
    assert found["refusals"] == 0.5


def test_measure_passages_of_one_passage_has_null_diversity(measure):
    found, _ = measure([WrittenPassage("q1@zero", BREAD, "q1", "bread?")])
    assert found["self_bleu"] is None
    assert found["mean_cosine"] is None
    assert found["effective_passages"] == pytest.approx(1)
    assert found["near_duplicates"] == 0
    assert found["words"]["sd"] == 0


def test_measure_passages_with_empty_passages_and_queries_without_words(measure):
    found, rows = measure([WrittenPassage("a", "", "q1", "?!"), WrittenPassage("b", " — ", "q2", "Bread?")])
    assert (found["passages"], found["empty"]) == (2, 2)
    assert [row["query_overlap"] for row in rows] == ["", "0.0000"]
    assert found["words"]["mean"] == 0
    assert found["languages"] == {}
    nulls = [
        "segmental_type_token_ratio", "compression_ratio", "refusals", "near_duplicates", "reading_grade", "distinct_1",
        "distinct_3", "self_bleu", "mean_cosine", "effective_passages",
    ]  # fmt: skip
    assert {name: found[name] for name in nulls} == dict.fromkeys(nulls)


def test_measure_passages_searches_refusals_only_at_the_beginning(measure):
    late = " ".join(["word"] * 40) + " as an AI"
    found, _ = measure([WrittenPassage("a", late, "q1", "x"), WrittenPassage("b", RIVER, "q2", "x")])
    assert found["refusals"] == 0.5


def test_measure_passages_draws_a_seeded_sample(measure):
    records = [WrittenPassage(f"p{place}", f"{BREAD} {place} " * (place + 1), "q", "x") for place in range(9)]
    found, _ = measure(records, sample=4)
    assert found["sample"] == 4
    assert measure(records, sample=4)[0] == found
    assert measure(records, sample=4, seed=14)[0]["distinct_2"] != found["distinct_2"]


def test_measure_passages_refuses_a_file_without_positives(measure):
    with pytest.raises(DataError, match=r"data\.jsonl: the file has no positive passage; expected a training set"):
        measure([Group("q", "x", (Candidate("n", "no", 0.0),))])
    with pytest.raises(DataError, match="no positive passage"):
        measure([])


def test_measure_passages_matches_controls_per_query(measure, tmp_path):
    own = [
        WrittenPassage("q1@zero", BREAD, "q1", "What does bread need?"),
        WrittenPassage("q2@zero", f"{BREAD} {RIVER}", "q2", "Where is the dough?"),
        WrittenPassage("q3@zero", BREAD, "q3", "of no reference"),
        WrittenPassage("p4", RIVER, "q4", "the river?"),
    ]
    human = [
        WrittenPassage("p1", RIVER, "q1", "What does bread need?", 2),
        WrittenPassage("p5", "a later one", "q1", "What does bread need?"),
        WrittenPassage("p1", RIVER, "q2", "Where is the dough?"),
        WrittenPassage("p4", RIVER, "q4", "the river?"),
    ]
    found, _ = measure(own, reference=human)
    controls = json.loads((tmp_path / "controls.json").read_text())
    length = controls["length"]
    assert {side: (length[side]["pairs"], length[side]["queries"]) for side in length} == {
        "own": (2, 2), "reference": (2, 2),
    }, "q3 is not in the reference, and both passages of q4 are equal"  # fmt: skip
    # BREAD has 14 words and RIVER 19: q1 is cut to 14 and q2, of 33 words, to 19, on both sides.
    for side in length.values():
        assert (side["words"]["min"], side["words"]["max"], side["words"]["mean"]) == (14, 19, 16.5)
        assert side["passages"] == 2
    overlap = controls["overlap"]["own"]
    assert found["query_overlap_without_stop_words"] > 0
    assert overlap["query_overlap_without_stop_words"] == 0
    assert overlap["query_overlap"]["max"] == 0.5, "`the` of `the river?` is a stop word and stays"
    assert overlap["words"]["max"] == 33 - 1, "BREAD contains dough once"
    measure(own)
    assert json.loads((tmp_path / "controls.json").read_text()).keys() == {"overlap"}


def test_first_words_and_without_words_keep_whole_words():
    text = "Don't stop; the ﬁre isn't out."
    assert words_of(text) == ["don", "t", "stop", "the", "fire", "isn", "t", "out"]
    for count in range(10):
        assert words_of(first_words(text, count)) == words_of(text)[:count]
    assert first_words(text, 5) == "Don't stop; the fire"
    assert cut_out_words(text, {"fire", "don", "sto"}) == "'t stop; the isn't out."
