"""Imported passages: by passage or by query, with counts of the texts left out."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from held_out_case import exclude

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Judgment, Passage, Query, WrittenPassage
from synthrank.data.trec import read_qrels, write_qrels
from synthrank.errors import BudgetError, ChecksumError, DataError
from synthrank.steps.passages.import_passages import import_passages

SHARED = os.environ.get("SYNTHRANK_SHARED", "")

ROWS = [
    {"_id": "p1", "title": "One", "text": "first  text\nhere"},
    {"_id": "p2", "title": "Two", "text": "second"},
    {"_id": "p3", "title": "Three", "text": "third text here"},
    {"_id": "p4", "title": "Four", "text": "  "},
    {"_id": "p5", "title": "Five", "text": "fifth text here"},
    {"_id": "p9", "title": "Nine", "text": "of no query"},
]
QRELS = [
    Judgment("q1", "p1", 1), Judgment("q1", "p3", 2), Judgment("q1", "p2", 1), Judgment("q1", "p9", 0),
    Judgment("q2", "p4", 1), Judgment("q2", "p5", 1), Judgment("q2", "p6", 1), Judgment("q3", "p5", 1),
]  # fmt: skip


@pytest.fixture
def bring(tmp_path):
    """Return a function that imports rows and returns (positives, collection, counts)."""
    write_jsonl(tmp_path / "queries.jsonl", [Query("q2", "two?"), Query("q1", "one?"), Query("q3", "three?")])
    write_qrels(tmp_path / "qrels.txt", QRELS)

    def do(rows=ROWS, by="passage", held_out=(), train=True, **keys):
        file = tmp_path / "texts.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        exclude(tmp_path, held_out)
        spec = {"kind": "imported", "file": "texts.jsonl", "by": by, "written_by": "someone", **keys}
        (tmp_path / "rewrite.yaml").write_text(json.dumps(spec))
        import_passages(
            paradigm=tmp_path / "rewrite.yaml", file=file, queries=[tmp_path / "queries.jsonl"] * train,
            qrels=[tmp_path / "qrels.txt"] * train, excluded=tmp_path / "excluded.txt",
            passages=tmp_path / "out.jsonl", collection=tmp_path / "all.jsonl", counts=tmp_path / "out.json",
        )  # fmt: skip
        return (
            list(read_jsonl(tmp_path / "out.jsonl", WrittenPassage)),
            list(read_jsonl(tmp_path / "all.jsonl", Passage)),
            json.loads((tmp_path / "out.json").read_text()),
        )

    return do


def test_import_by_passage_keeps_ids_grades_and_order_of_human_passages(bring):
    found, collection, counts = bring()
    assert found == [
        WrittenPassage("p5", "fifth text here", "q2", "two?", 1),
        WrittenPassage("p3", "third text here", "q1", "one?", 2),
        WrittenPassage("p1", "first text here", "q1", "one?", 1),
        WrittenPassage("p2", "second", "q1", "one?", 1),
        WrittenPassage("p5", "fifth text here", "q3", "three?", 1),
    ]
    assert [item.id for item in collection] == ["p1", "p2", "p3", "p5", "p9"]
    assert collection[0] == Passage("p1", "first text here")
    assert counts == {
        "written_by": "someone", "texts": 6, "empty": 1, "queries": 3, "passages": 5, "queries_served": 3,
        "missing": 2, "too_short": 0, "held_out_answers": 0,
    }  # fmt: skip


def test_import_by_passage_leaves_out_held_out_answers(bring):
    found, collection, counts = bring(held_out=[Judgment("t", "p3", 1), Judgment("t", "p5", 2), Judgment("t", "p1", 0)])
    assert [item.id for item in found] == ["p1", "p2"]
    assert (counts["held_out_answers"], counts["queries_served"]) == (3, 1)
    assert "p3" in {item.id for item in collection}, "a test may rank it"


def test_a_short_text_is_in_the_collection_but_not_a_positive(bring):
    found, collection, counts = bring(quality={"min_words": 3})
    assert [item.id for item in found] == ["p5", "p3", "p1", "p5"]
    assert counts["too_short"] == 1
    assert "p2" in {item.id for item in collection}


def test_title_key_puts_titles_before_the_text(bring):
    _, collection, counts = bring(title_key="title")
    assert collection[0].text == "One first text here"
    assert counts["empty"] == 1, "a title without a text counts as empty"


def test_import_by_query(bring):
    rows = [{"qid": "q1", "answer": "a b c"}, {"qid": "q3", "answer": "d e f"}, {"qid": "t1", "answer": "test"}]
    found, collection, counts = bring(rows, by="query", id_key="qid", text_key="answer")
    assert found == [
        WrittenPassage("q1@rewrite", "a b c", "q1", "one?", 1),
        WrittenPassage("q3@rewrite", "d e f", "q3", "three?", 1),
    ]
    assert [item.id for item in collection] == ["q1", "q3", "t1"]
    assert (counts["missing"], counts["texts"], counts["queries_served"]) == (1, 3, 2)


def test_integer_ids_are_accepted(bring):
    assert bring([{"_id": 7, "text": "x"}, {"_id": "p1", "text": "y"}])[1][0] == Passage("7", "x")


def test_a_corpus_without_training_queries_gets_only_the_collection(bring):
    found, collection, counts = bring(train=False)
    assert (found, len(collection), counts["queries"]) == ([], 5, 0)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"_id": "p1", "text": "a"}, {"_id": "p1", "text": "b"}], r"texts\.jsonl:2: id 'p1' is repeated"),
        ([{"_id": "p 1", "text": "a"}], r"texts\.jsonl:1: invalid id 'p 1'; an id must not be empty"),
        ([{"_id": "p1"}], r"texts\.jsonl:1: text is .*; expected a text, or set another key in"),
        ([{"_id": True, "text": "a"}], r"texts\.jsonl:1: _id is True; expected a text"),
    ],
)
def test_import_passages_names_the_line_of_an_invalid_row(bring, tmp_path, rows, said):
    with pytest.raises(DataError, match=said):
        bring(rows)
    assert not (tmp_path / "all.jsonl").exists()


def test_a_file_without_text_for_any_query_is_refused(bring):
    with pytest.raises(
        BudgetError, match=r"texts\.jsonl: no usable text .* among 5; check by: query in .*rewrite\.yaml"
    ):
        bring(by="query")


def test_import_passages_checks_the_checksum(bring, tmp_path):
    bring()
    right = hashlib.sha256((tmp_path / "texts.jsonl").read_bytes()).hexdigest()
    bring(sha256=right)
    with pytest.raises(ChecksumError, match=r"rewrite\.yaml states 000"):
        bring(sha256="0" * 64)


@pytest.mark.skipif(not SHARED, reason="needs SYNTHRANK_SHARED")
def test_import_of_the_rewritten_nfcorpus(tmp_path, config):
    folder = Path(SHARED) / "collections"
    judged = [line.split("\t") for line in (folder / "nfcorpus/qrels/train.tsv").read_text().splitlines()[1:]]
    write_qrels(tmp_path / "qrels.txt", [Judgment(query, name, int(grade)) for query, name, grade in judged])
    names = sorted({query for query, _, _ in judged})
    write_jsonl(tmp_path / "queries.jsonl", [Query(name, name) for name in names])
    import_passages(
        paradigm=config / "paradigms/llama2-rewrite.yaml", file=folder / "nfcorpus-llm/corpus.jsonl",
        queries=[tmp_path / "queries.jsonl"], qrels=[tmp_path / "qrels.txt"], excluded=exclude(tmp_path),
        passages=tmp_path / "out.jsonl", collection=tmp_path / "all.jsonl", counts=tmp_path / "out.json",
    )  # fmt: skip
    counts = json.loads((tmp_path / "out.json").read_text())
    assert (counts["texts"], counts["empty"], counts["missing"]) == (3633, 0, 0)
    assert counts["passages"] == sum(map(len, read_qrels(tmp_path / "qrels.txt").values())) == 110575
    assert counts["queries_served"] == 2590
    first = next(read_jsonl(tmp_path / "all.jsonl", Passage))
    assert first.text.startswith("Statin Use and Breast Cancer Survival: A Nationwide Cohort Study from Finland Recent")
