"""Folders in the BEIR layout."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from synthrank.errors import ChecksumError, ConfigError, DataError
from synthrank.files import sha256_of
from synthrank.records import Judgment, Passage, Query
from synthrank.sources.beir import BeirSource
from synthrank.specs.corpora import BeirCorpus

ORIGIN = Path("config/corpora/toy.yaml")
SHARED = os.environ.get("SYNTHRANK_SHARED", "")


def spec(**settings: Any) -> BeirCorpus:
    base = {"source": "beir", "folder": "toy", "splits": {"test": "qrels/test.tsv"}}
    return BeirCorpus.model_validate({**base, **settings})


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNTHRANK_DATA", str(tmp_path))
    folder = tmp_path / "toy"
    (folder / "qrels").mkdir(parents=True)
    rows: list[dict[str, Any]] = [
        {"_id": "007", "title": "T", "text": "one", "metadata": {"url": "x"}},
        {"_id": "NA", "text": "zwei, größer"},
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "first"}\n\n{"_id": "q2", "text": "second"}\n')
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\t007\t2\nq1\tNA\t-1\n")
    return folder


def test_a_folder_is_read_as_it_is(toy: Path) -> None:
    source = BeirSource(spec(), ORIGIN)
    assert list(source.passages()) == [Passage("007", "one", "T"), Passage("NA", "zwei, größer")]
    queries, judgments = source.queries("test")
    assert queries == [Query("q1", "first"), Query("q2", "second")]
    assert judgments == [Judgment("q1", "007", 2), Judgment("q1", "NA", -1)]


def test_the_default_directory_is_data(toy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SYNTHRANK_DATA")
    monkeypatch.chdir(tmp_path)
    toy.rename(tmp_path / "moved")
    (tmp_path / "data").mkdir()
    (tmp_path / "moved").rename(tmp_path / "data/toy")
    assert len(list(BeirSource(spec(), ORIGIN).passages())) == 2


def test_a_missing_folder_names_the_variable_and_the_place(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        BeirSource(spec(folder="other"), ORIGIN)
    assert str(caught.value) == (
        f"{tmp_path}/other: no such folder; config/corpora/toy.yaml needs the collection other there, or "
        "SYNTHRANK_DATA set to the directory that holds it"
    )


def test_a_missing_file_is_an_error(toy: Path) -> None:
    (toy / "queries.jsonl").unlink()
    with pytest.raises(
        DataError, match=r"toy/queries\.jsonl: no such file; the BEIR layout has corpus\.jsonl, queries"
    ):
        BeirSource(spec(), ORIGIN).queries("test")


def test_checksums_are_checked(toy: Path) -> None:
    good = sha256_of(toy / "corpus.jsonl")
    list(BeirSource(spec(sha256={"corpus.jsonl": good}), ORIGIN).passages())
    wrong = BeirSource(spec(sha256={"corpus.jsonl": "0" * 64, "qrels/test.tsv": "1" * 64}), ORIGIN)
    with pytest.raises(
        ChecksumError, match=rf"toy/corpus\.jsonl: sha256 is {good}, but config/corpora/toy\.yaml states"
    ):
        list(wrong.passages())
    with pytest.raises(ChecksumError, match=r"toy/qrels/test\.tsv: sha256 is"):
        wrong.queries("test")
    with pytest.raises(ConfigError, match=r"toy\.yaml: sha256\.corpus\.json: the collection reads no such file"):
        BeirSource(spec(sha256={"corpus.json": good}), ORIGIN)


def test_an_unknown_split_is_an_error(toy: Path) -> None:
    with pytest.raises(ConfigError, match=r"toy\.yaml: splits: no split 'dev'; known: test$"):
        BeirSource(spec(), ORIGIN).queries("dev")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"_id": 7, "text": "x"}', r"corpus\.jsonl:1: _id is 7; expected a text$"),
        (b'{"_id": "7"}', r"corpus\.jsonl:1: has no text$"),
        (b'{"_id": "7", "text": "x", "title": null}', r"corpus\.jsonl:1: title is None; expected a text$"),
        (b'["7"]', r"corpus\.jsonl:1: a JSON list; expected an object$"),
        (b'{"_id": "7"', r"corpus\.jsonl:1: not JSON \("),
        (b'{"_id": "7", "text": "caf\xe9"}', r"corpus\.jsonl:1: byte \d+ of the line is not UTF-8"),
    ],
)
def test_a_bad_passage_is_an_error(toy: Path, line: bytes, message: str) -> None:
    (toy / "corpus.jsonl").write_bytes(line + b"\n")
    with pytest.raises(DataError, match=message):
        list(BeirSource(spec(), ORIGIN).passages())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1\t007\t1\n", r"test\.tsv:1: a judgment; expected the header line query-id corpus-id score$"),
        ("query-id\tcorpus-id\tscore\nq1 007 1\n", r"test\.tsv:2: 1 columns; expected three with tabs between"),
        ("query-id\tcorpus-id\tscore\nq1\t007\t0.5\n", r"test\.tsv:2: score '0\.5' is not a whole number$"),
    ],
)
def test_bad_judgments_are_an_error(toy: Path, text: str, message: str) -> None:
    (toy / "qrels/test.tsv").write_text(text)
    with pytest.raises(DataError, match=message):
        BeirSource(spec(), ORIGIN).queries("test")


@pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED does not name the shared collections")
def test_nfcorpus_has_the_counts_of_its_own_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(SHARED) / "collections"
    monkeypatch.setenv("SYNTHRANK_DATA", str(folder))
    stats = json.loads((folder / "nfcorpus/stats.json").read_text())
    splits = {name: f"qrels/{name}.tsv" for name in ("train", "dev", "test")}
    source = BeirSource(spec(folder="nfcorpus", splits=splits), ORIGIN)
    passages = list(source.passages())
    assert len(passages) == stats["docs"] == 3633
    assert (passages[0].id, passages[-1].id) == ("MED-10", "MED-999")
    for name in splits:
        queries, judgments = source.queries(name)
        assert len(queries) == stats["queries"]
        assert len(judgments) == stats["qrels"][name]["judgments"]
