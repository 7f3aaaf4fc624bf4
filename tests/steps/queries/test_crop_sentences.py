"""Sentences as queries: equal to those of the package, in a seeded and nested order, in one pass."""

import json
import os
import tracemalloc
from pathlib import Path

import pytest
from held_out_case import exclude
from sentence_splitter import split_text_into_sentences

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sampling import shuffle
from synthrank.errors import BudgetError, ConfigError
from synthrank.steps.queries.crop_sentences import crop_sentences


@pytest.fixture
def crop(tmp_path):
    def do(passages, held_out=(), settings="", count=10_000, name="crop"):
        (tmp_path / f"{name}.yaml").write_text(f"kind: crop\ncount: {count}\n{settings}\n")
        write_jsonl(tmp_path / "p.jsonl", passages)
        exclude(tmp_path, held_out)
        crop_sentences(spec=tmp_path / f"{name}.yaml", passages=tmp_path / "p.jsonl",
                       excluded=tmp_path / "excluded.txt", raw=tmp_path / "raw.jsonl")  # fmt: skip
        return list(read_jsonl(tmp_path / "raw.jsonl", Query))

    return do


PASSAGES = [
    Passage("p1", "Bees dance. They show the way! Do all bees dance? Yes."),
    Passage("p2", "Prof. Frisch saw it at 3 p.m. in Graz.  He wrote\ta book. It has 3 parts."),
    Passage("p3", "one sentence without an end"),
    Passage("p4", "   "),
    Passage("p5", ""),
]


def test_crop_sentences_makes_every_sentence_a_query(crop):
    found = {query.id: query for query in crop(PASSAGES)}
    assert found["crop:p1:3"] == Query("crop:p1:3", "Do all bees dance?", "p1")
    assert found["crop:p2:1"] == Query("crop:p2:1", "Prof. Frisch saw it at 3 p.m. in Graz.", "p2")
    assert found["crop:p2:2"].text == "He wrote a book."
    assert sorted(found) == ["crop:p1:1", "crop:p1:2", "crop:p1:3", "crop:p1:4", "crop:p2:1", "crop:p2:2", "crop:p2:3",
                             "crop:p3:1"]  # fmt: skip


def test_crop_sentences_orders_by_seeded_sentence_names(crop):
    names = ["p1:1", "p1:2", "p1:3", "p1:4", "p2:1", "p2:2", "p2:3", "p3:1"]
    order = shuffle(names, 5)
    for count in (1, 3, 8, 50):
        found = crop(PASSAGES, (), "seed: 5", count)
        assert [query.id for query in found] == [f"crop:{item}" for item in order[:count]]
    # Another augmentation with the same seed takes the same sentences.
    assert [query.id for query in crop(PASSAGES, (), "seed: 5", 3, "other")] == [f"other:{item}" for item in order[:3]]
    assert [query.id for query in crop(PASSAGES, (), "seed: 6")] == [f"crop:{item}" for item in shuffle(names, 6)]


def test_length_limits_keep_the_numbers_of_other_sentences(crop):
    found = crop(PASSAGES, (), "min_words: 2\nmax_words: 4")
    assert {query.id: query.text for query in found} == {
        "crop:p1:1": "Bees dance.", "crop:p1:2": "They show the way!", "crop:p1:3": "Do all bees dance?",
        "crop:p2:2": "He wrote a book.", "crop:p2:3": "It has 3 parts.",
    }  # fmt: skip


def test_crop_sentences_leaves_out_held_out_answers(crop):
    assert {query.source for query in crop(PASSAGES, [Judgment("t", "p1", 1), Judgment("t", "p3", 0)])} == {"p2", "p3"}


def test_crop_sentences_holds_only_the_sample_in_memory(crop, tmp_path):
    passages = [Passage(f"p{n}", f"Sentence one of {n}. Sentence two of {n}.") for n in range(1000)]
    write_jsonl(tmp_path / "p.jsonl", passages)
    crop(passages[:1])  # exclude memory that the first call takes
    write_jsonl(tmp_path / "p.jsonl", passages)
    (tmp_path / "crop.yaml").write_text("kind: crop\ncount: 5\n")
    exclude(tmp_path, [])
    tracemalloc.start()
    crop_sentences(spec=tmp_path / "crop.yaml", passages=tmp_path / "p.jsonl", excluded=tmp_path / "excluded.txt",
                   raw=tmp_path / "raw.jsonl")  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    names = shuffle([f"p{n}:{number}" for n in range(1000) for number in (1, 2)], 13)[:5]
    assert [query.id for query in read_jsonl(tmp_path / "raw.jsonl", Query)] == [f"crop:{name}" for name in names]
    # All 2000 sentences would take half a megabyte.
    assert peak < 200_000


def test_crop_sentences_refuses_an_unknown_language(crop, tmp_path):
    with pytest.raises(ConfigError, match=r"crop\.yaml: language: got 'xx', which sentence-splitter does not support"):
        crop(PASSAGES, (), "language: xx")


def test_crop_sentences_uses_abbreviations_of_the_language(crop):
    passages = [Passage("p1", "Das kostet ca. 3 Euro bzw. 4 Euro.")]
    assert len(crop(passages, (), "language: de")) == 1


def test_crop_sentences_without_any_sentence_is_an_error(crop):
    with pytest.raises(BudgetError, match="no sentence has an allowed length"):
        crop(PASSAGES, (), "min_words: 50")


def test_crop_sentences_equals_the_package_on_real_passages(crop):
    shared = os.environ.get("SYNTHRANK_SHARED")
    if not shared:
        pytest.skip("SYNTHRANK_SHARED is not set")
    with (Path(shared) / "collections/trec-dl19/corpus.jsonl").open(encoding="utf-8") as stream:
        rows = [json.loads(line) for _, line in zip(range(150), stream, strict=False)]
    passages = [Passage(row["_id"], " ".join(row["text"].split())) for row in rows]
    expected = {
        (passage.id, " ".join(sentence.split()))
        for passage in passages
        for sentence in split_text_into_sentences(passage.text, language="en")
    }
    found = crop(passages)
    assert {(query.source, query.text) for query in found} == expected
    assert len(expected) > 300
