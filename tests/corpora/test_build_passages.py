"""Passages of a corpus: normalised, checked, counted, and never half written."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from synthrank.corpora.build_passages import build_passages
from synthrank.errors import ChecksumError, DataError
from synthrank.files import read_jsonl
from synthrank.records import Passage

CONFIG = Path(__file__).parents[2] / "config/corpora"
SHARED = os.environ.get("SYNTHRANK_SHARED", "")
shared = pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED does not name the shared collections")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNTHRANK_DATA", str(tmp_path / "data"))
    (tmp_path / "data/toy").mkdir(parents=True)
    return tmp_path


def build(toy: Path, rows: list[dict[str, Any]], settings: str = "") -> list[Passage]:
    (toy / "data/toy/corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (toy / "toy.yaml").write_text(f"source: beir\nfolder: toy\nsplits: {{test: qrels/test.tsv}}\n{settings}")
    build_passages(spec=toy / "toy.yaml", passages=toy / "out/passages.jsonl", stats=toy / "out/stats.json")
    return list(read_jsonl(toy / "out/passages.jsonl", Passage))


ROWS = [
    {"_id": "1", "title": " A  title ", "text": "one\ntwo \t three "},
    {"_id": "2", "title": "Only a title", "text": " "},
    {"_id": "3", "title": "", "text": ""},
    {"_id": "4", "text": "four"},
]


def test_white_space_is_collapsed_and_empty_passages_are_counted(toy: Path) -> None:
    assert build(toy, ROWS) == [
        Passage("1", "one two three", "A title"),
        Passage("2", "Only a title", "Only a title"),
        Passage("4", "four"),
    ]
    assert json.loads((toy / "out/stats.json").read_text()) == {
        "passages": 3,
        "words": 7,
        "words_per_passage": 2.3,
        "empty": 1,
        "title_only": 1,
        "source": {},
    }


def test_titles_are_put_before_texts(toy: Path) -> None:
    texts = [passage.text for passage in build(toy, ROWS, "title: prepend\n")]
    assert texts == ["A title one two three", "Only a title", "four"]


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (ROWS + ROWS[:1], "", r"toy\.yaml: passage id '1' is given twice; ids must be unique$"),
        (
            [{"_id": "a b", "text": "x"}],
            "",
            r"toy\.yaml: passage id 'a b': expected an id that is not empty and has no",
        ),
        ([{"_id": "", "text": "x"}], "", r"toy\.yaml: passage id '': expected an id that is not empty"),
        (ROWS, "counts: {passages: 4}\n", r"toy\.yaml: counts: 3 passages, but 4 are stated; restore the data or the"),
    ],
)
def test_a_bad_collection_is_an_error_and_nothing_is_written(
    toy: Path, rows: list[dict[str, Any]], settings: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        build(toy, rows, settings)
    assert "\n" not in str(caught.value)
    assert list((toy / "out").iterdir()) == []


def test_another_file_than_the_pinned_one_is_an_error(toy: Path) -> None:
    with pytest.raises(ChecksumError, match=r"corpus\.jsonl: sha256 is .*toy\.yaml states 0{64}; restore the pinned"):
        build(toy, ROWS, f"sha256: {{corpus.jsonl: '{'0' * 64}'}}\n")
    assert not list((toy / "out").glob("*"))


@shared
@pytest.mark.parametrize(
    ("name", "count", "empty", "first", "last"),
    [
        ("adi", 82, 0, "1", "82"),
        ("cacm", 3204, 0, "CACM-0001", "CACM-3204"),
        ("cranfield", 1398, 2, "1", "1400"),
        ("nfcorpus", 3633, 0, "MED-10", "MED-999"),
        ("vaswani", 11429, 0, "1", "11429"),
    ],
)
def test_the_shared_collections(
    name: str, count: int, empty: int, first: str, last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHRANK_DATA", f"{SHARED}/collections")
    build_passages(spec=CONFIG / f"{name}.yaml", passages=tmp_path / "passages.jsonl", stats=tmp_path / "stats.json")
    passages = list(read_jsonl(tmp_path / "passages.jsonl", Passage))
    assert (len(passages), passages[0].id, passages[-1].id) == (count, first, last)
    assert json.loads((tmp_path / "stats.json").read_text())["empty"] == empty
    assert all(passage.text.startswith(passage.title) for passage in passages)
