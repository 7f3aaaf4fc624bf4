"""Step build_passages: normalise, check and count passages; write complete files only."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from synthrank.data.files import read_jsonl
from synthrank.data.records import Passage
from synthrank.errors import ChecksumError, DataError
from synthrank.steps.corpora.build_passages import build_passages

CONFIG = Path(__file__).parents[3] / "config/corpora"
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


def test_build_passages_collapses_white_space_and_counts_empty_passages(toy: Path) -> None:
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


def test_build_passages_prepends_titles(toy: Path) -> None:
    texts = [passage.text for passage in build(toy, ROWS, "title: prepend\n")]
    assert texts == ["A title one two three", "Only a title", "four"]


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (ROWS + ROWS[:1], "", r"toy\.yaml: passage id '1' is repeated; ids must be unique$"),
        (
            [{"_id": "a b", "text": "x"}],
            "",
            r"toy\.yaml: invalid passage id 'a b'; an id must not be empty or contain white space",
        ),
        ([{"_id": "", "text": "x"}], "", r"toy\.yaml: invalid passage id ''; an id must not be empty"),
        (ROWS, "counts: {passages: 4}\n", r"toy\.yaml: counts: found 3 passages, 4 stated; restore the data or fix"),
    ],
)
def test_build_passages_refuses_invalid_passages_and_writes_no_file(
    toy: Path, rows: list[dict[str, Any]], settings: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        build(toy, rows, settings)
    assert "\n" not in str(caught.value)
    assert list((toy / "out").iterdir()) == []


def test_build_passages_refuses_a_file_with_another_checksum(toy: Path) -> None:
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
def test_build_passages_of_shared_corpora_gives_known_counts(
    name: str, count: int, empty: int, first: str, last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHRANK_DATA", f"{SHARED}/collections")
    build_passages(spec=CONFIG / f"{name}.yaml", passages=tmp_path / "passages.jsonl", stats=tmp_path / "stats.json")
    passages = list(read_jsonl(tmp_path / "passages.jsonl", Passage))
    assert (len(passages), passages[0].id, passages[-1].id) == (count, first, last)
    assert json.loads((tmp_path / "stats.json").read_text())["empty"] == empty
    assert all(passage.text.startswith(passage.title) for passage in passages)


@pytest.mark.parametrize("text", ["\0", "\x01\x02", "\u200b", "\ufeff", " \x7f\u2028 ", "\u00ad"])
def test_build_passages_counts_invisible_text_as_empty(toy: Path, text: str) -> None:
    """Lucene does not index a passage of control characters, and no ranker can read one."""
    assert build(toy, [{"_id": "1", "text": text}, {"_id": "2", "title": "A", "text": text}, ROWS[3]]) == [
        Passage("2", "A", "A"),
        Passage("4", "four"),
    ]
    stats = json.loads((toy / "out/stats.json").read_text())
    assert (stats["empty"], stats["title_only"]) == (1, 1)


def test_build_passages_keeps_visible_text_with_control_characters(toy: Path) -> None:
    assert build(toy, [{"_id": "1", "text": "a\x01b"}]) == [Passage("1", "a\x01b")]


@pytest.mark.parametrize("name", ["", " ", "a b", "a\tb", "a\0b", "\x7f", "a\u2028"])
def test_build_passages_refuses_an_id_that_trec_files_cannot_have(toy: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"toy\.yaml: invalid passage id .*; an id must not be empty or contain white"):
        build(toy, [{"_id": name, "text": "t"}])
    assert not (toy / "out").exists() or not list((toy / "out").iterdir())


def test_build_passages_logs_unknown_keys_once(toy: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"_id": str(place), "text": "t", "titel": "x", "metadata": {}} for place in range(3)]
    build(toy, [*rows, {"_id": "3", "text": "t", "url": ""}])
    assert [record.getMessage() for record in caplog.records] == [
        f"{toy / 'data/toy/corpus.jsonl'}: 2 unknown keys, which are not read: 'titel' (3 lines), 'url' (1 lines)"
    ]
