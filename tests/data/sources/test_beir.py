"""Corpora in the BEIR layout."""

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from synthrank.config.corpora import BeirCorpus
from synthrank.data.files import sha256_of
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sampling import shuffle
from synthrank.data.sources.beir import BeirSource
from synthrank.errors import ChecksumError, ConfigError, DataError

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


def test_beir_source_reads_passages_queries_and_judgments(toy: Path) -> None:
    source = BeirSource(spec(), ORIGIN)
    assert list(source.passages()) == [Passage("007", "one", "T"), Passage("NA", "zwei, größer")]
    queries, judgments = source.queries("test")
    assert queries == [Query("q1", "first"), Query("q2", "second")]
    assert judgments == [Judgment("q1", "007", 2), Judgment("q1", "NA", -1)]


def test_beir_source_without_the_variable_reads_the_folder_data(
    toy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SYNTHRANK_DATA")
    monkeypatch.chdir(tmp_path)
    toy.rename(tmp_path / "moved")
    (tmp_path / "data").mkdir()
    (tmp_path / "moved").rename(tmp_path / "data/toy")
    assert len(list(BeirSource(spec(), ORIGIN).passages())) == 2


def test_beir_source_without_its_folder_names_folder_and_variable(toy: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        BeirSource(spec(folder="other"), ORIGIN)
    assert str(caught.value) == (
        f"{tmp_path}/other: no such folder; config/corpora/toy.yaml needs the corpus other: put its files there, or "
        "set SYNTHRANK_DATA to the folder that contains other"
    )


def test_beir_source_without_its_folder_names_the_download(toy: Path) -> None:
    with pytest.raises(DataError, match=r"download it from https://a\.b/c\.zip into this folder"):
        BeirSource(spec(folder="other", url="https://a.b/c.zip"), ORIGIN)


def test_queries_without_their_file_are_refused(toy: Path) -> None:
    (toy / "queries.jsonl").unlink()
    with pytest.raises(
        DataError, match=r"toy/queries\.jsonl: no such file; the BEIR layout has corpus\.jsonl, queries"
    ):
        BeirSource(spec(), ORIGIN).queries("test")


def test_beir_source_refuses_files_with_another_sha256(toy: Path) -> None:
    good = sha256_of(toy / "corpus.jsonl")
    list(BeirSource(spec(sha256={"corpus.jsonl": good}), ORIGIN).passages())
    wrong = BeirSource(spec(sha256={"corpus.jsonl": "0" * 64, "qrels/test.tsv": "1" * 64}), ORIGIN)
    with pytest.raises(
        ChecksumError, match=rf"toy/corpus\.jsonl: sha256 is {good}, but config/corpora/toy\.yaml states"
    ):
        list(wrong.passages())
    with pytest.raises(ChecksumError, match=r"toy/qrels/test\.tsv: sha256 is"):
        wrong.queries("test")
    with pytest.raises(ConfigError, match=r"toy\.yaml: sha256\.corpus\.json: the corpus uses no such file"):
        BeirSource(spec(sha256={"corpus.json": good}), ORIGIN)


def test_queries_of_an_unknown_split_are_refused(toy: Path) -> None:
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
def test_passages_refuses_an_invalid_row(toy: Path, line: bytes, message: str) -> None:
    (toy / "corpus.jsonl").write_bytes(line + b"\n")
    with pytest.raises(DataError, match=message):
        list(BeirSource(spec(), ORIGIN).passages())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1\t007\t1\n", r"test\.tsv:1: a judgment; expected the header line query-id corpus-id score$"),
        ("query-id\tcorpus-id\tscore\nq1 007 1\n", r"test\.tsv:2: 1 columns; expected three separated by tabs"),
        ("query-id\tcorpus-id\tscore\nq1\t007\t0.5\n", r"test\.tsv:2: score '0\.5' is not a whole number$"),
        ("query-id\tcorpus-id\tscore\nq1\t007\t1_0\n", r"test\.tsv:2: score '1_0' is not a whole number$"),
        (
            f"query-id\tcorpus-id\tscore\nq1\t007\t{'9' * 20}\n",
            r"test\.tsv:2: score '9{20}' is out of range; expected -10 to 100$",
        ),
    ],
)
def test_queries_refuses_an_invalid_judgment(toy: Path, text: str, message: str) -> None:
    (toy / "qrels/test.tsv").write_text(text)
    with pytest.raises(DataError, match=message):
        BeirSource(spec(), ORIGIN).queries("test")


PART = {"file": "qrels/test.tsv"}


def many(toy: Path, count: int, suffix: str = "tsv") -> None:
    """Write qrels of ``count`` queries with two passages per query, and an unjudged query."""
    names = [f"q{number}" for number in range(count)]
    rows = [f'{{"_id": "{name}", "text": "x"}}\n' for name in (*names, "never-judged")]
    (toy / "queries.jsonl").write_text("".join(rows))
    if suffix == "tsv":
        lines = ["query-id\tcorpus-id\tscore", *(f"{name}\t{other}\t1" for name in names for other in ("007", "NA"))]
        (toy / "qrels/test.tsv").write_text("\n".join(lines) + "\n")
    else:
        (toy / "qrels.txt").write_text("".join(f"{name} Q0 007  3\n{name} 0 NA 0\n" for name in names))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10, 11, 54])
@pytest.mark.parametrize("cuts", [(0.8,), (0.5,), (0.25, 0.75), (0.1, 0.2, 0.3)])
def test_adjacent_parts_partition_the_judged_queries(toy: Path, count: int, cuts: tuple[float, ...]) -> None:
    many(toy, count)
    bounds = (0.0, *cuts, 1.0)
    splits = {
        f"part-{place}": {**PART, "start": start, "end": end} for place, (start, end) in enumerate(pairwise(bounds))
    }
    found = []
    for name in splits:
        try:
            _, judgments = BeirSource(spec(splits=splits), ORIGIN).queries(name)
        except ConfigError:  # a part without queries
            continue
        found += sorted({item.query_id for item in judgments})
        assert len(judgments) == 2 * len({item.query_id for item in judgments}), "a query keeps all its judgments"
    assert sorted(found) == sorted(f"q{number}" for number in range(count))


def test_queries_of_a_part_follow_the_seeded_order_of_the_judged_queries(toy: Path) -> None:
    many(toy, 10)
    order = shuffle([f"q{number}" for number in range(10)], 13)

    def chosen(**part: Any) -> set[str]:
        queries, judgments = BeirSource(spec(splits={"x": {**PART, **part}}), ORIGIN).queries("x")
        assert len(queries) == 11, "all queries of the file, judged or not; build_queries drops the unjudged"
        return {item.query_id for item in judgments}

    assert chosen(start=0, end=0.8) == set(order[:8])
    assert chosen(start=0.8, end=1) == set(order[8:])
    assert chosen(start=0.34, end=0.36) == set(order[3:4]), "both ends are rounded: 3.4 to 3 and 3.6 to 4"
    assert chosen(start=0, end=0.8, seed=14) == set(shuffle(order, 14)[:8]) != set(order[:8])


def test_queries_of_an_empty_part_are_refused(toy: Path) -> None:
    many(toy, 10)
    for start, end in ((0.31, 0.34), (0.8, 0.2), (0.5, 0.5)):
        source = BeirSource(spec(splits={"dev": {**PART, "start": start, "end": end}}), ORIGIN)
        with pytest.raises(
            ConfigError,
            match=rf"toy\.yaml: splits\.dev: the part from {start} to {end} contains none of the 10 queries of",
        ):
            source.queries("dev")


def test_beir_source_ignores_byte_order_marks(toy: Path) -> None:
    plain = BeirSource(spec(), ORIGIN)
    before = list(plain.passages()), plain.queries("test")
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        (toy / name).write_bytes(b"\xef\xbb\xbf" + (toy / name).read_bytes())
    marked = BeirSource(spec(), ORIGIN)
    assert (list(marked.passages()), marked.queries("test")) == before


def test_queries_reads_a_txt_file_as_trec_judgments(toy: Path) -> None:
    many(toy, 2, "txt")
    _, judgments = BeirSource(spec(splits={"test": "qrels.txt"}), ORIGIN).queries("test")
    assert judgments == [
        Judgment(query, name, grade) for query in ("q0", "q1") for name, grade in (("007", 3), ("NA", 0))
    ]
    _, judgments = BeirSource(spec(splits={"x": {"file": "qrels.txt", "start": 0, "end": 0.5}}), ORIGIN).queries("x")
    assert {item.query_id for item in judgments} == {shuffle(["q0", "q1"], 13)[0]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 0 007 1\nq1 0 007\n", r"qrels\.txt:2: 3 columns; a qrels line has four: qid 0 docno grade$"),
        ("q1 0 007 high\n", r"qrels\.txt:1: grade 'high' is not a whole number$"),
        ("query-id\tcorpus-id\tscore\n", r"qrels\.txt:1: 3 columns; a qrels line has four"),
    ],
)
def test_queries_refuses_invalid_trec_judgments(toy: Path, text: str, message: str) -> None:
    (toy / "qrels.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        BeirSource(spec(splits={"test": "qrels.txt"}), ORIGIN).queries("test")


def test_queries_of_a_part_checks_the_sha256_of_its_file(toy: Path) -> None:
    many(toy, 2)
    splits = {"dev": {**PART, "start": 0, "end": 1}}
    BeirSource(spec(splits=splits, sha256={"qrels/test.tsv": sha256_of(toy / "qrels/test.tsv")}), ORIGIN).queries("dev")
    with pytest.raises(ChecksumError, match=r"toy/qrels/test\.tsv: sha256 is"):
        BeirSource(spec(splits=splits, sha256={"qrels/test.tsv": "0" * 64}), ORIGIN).queries("dev")
    with pytest.raises(ConfigError, match=r"sha256\.qrels/dev\.tsv: the corpus uses no such file"):
        BeirSource(spec(splits=splits, sha256={"qrels/dev.tsv": "0" * 64}), ORIGIN)


@pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED does not name the shared collections")
def test_beir_source_of_nfcorpus_has_the_published_counts(monkeypatch: pytest.MonkeyPatch) -> None:
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
