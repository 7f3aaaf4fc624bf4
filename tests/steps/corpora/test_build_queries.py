"""Step build_queries: check queries, qrels and passages against each other; write complete files only."""

import json
import os
from pathlib import Path

import pytest

from synthrank.data.files import read_jsonl
from synthrank.data.records import Query
from synthrank.data.trec import read_qrels
from synthrank.errors import ConfigError, DataError
from synthrank.steps.corpora.build_passages import build_passages
from synthrank.steps.corpora.build_queries import build_queries

CONFIG = Path(__file__).parents[3] / "config/corpora"
SHARED = os.environ.get("SYNTHRANK_SHARED", "")
HEADER = "query-id\tcorpus-id\tscore\n"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNTHRANK_DATA", str(tmp_path))
    (tmp_path / "toy/qrels").mkdir(parents=True)
    rows = [{"_id": "p1", "text": "one"}, {"_id": "p2", "text": "two"}, {"_id": "p3", "text": " "}]
    (tmp_path / "toy/corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write(
        tmp_path, [("q1", " first\n question"), ("q2", "second"), ("q3", "third")], "q3\tp2\t2\nq1\tp1\t1\nq1\tp2\t0\n"
    )
    return tmp_path


def write(toy: Path, queries: list[tuple[str, str]], judgments: str, settings: str = "") -> None:
    rows = [{"_id": name, "text": text} for name, text in queries]
    (toy / "toy/queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (toy / "toy/qrels/test.tsv").write_text(HEADER + judgments)
    (toy / "toy.yaml").write_text(f"source: beir\nfolder: toy\nsplits: {{test: qrels/test.tsv}}\n{settings}")


def build(toy: Path, split: str = "test") -> None:
    passages = toy / "passages.jsonl"
    build_passages(spec=toy / "toy.yaml", passages=passages, stats=toy / "stats.json")
    build_queries(
        spec=toy / "toy.yaml",
        split=split,
        passages=passages,
        queries=toy / "out/queries.jsonl",
        qrels=toy / "out/qrels.txt",
    )


def test_build_queries_writes_only_judged_queries(toy: Path) -> None:
    build(toy)
    assert list(read_jsonl(toy / "out/queries.jsonl", Query)) == [Query("q1", "first question"), Query("q3", "third")]
    assert (toy / "out/qrels.txt").read_text() == "q3 0 p2 2\nq1 0 p1 1\nq1 0 p2 0\n"


def test_build_queries_keeps_empty_passages_that_are_not_relevant(toy: Path) -> None:
    write(toy, [("q1", "first")], "q1\tp1\t1\nq1\tp3\t0\n")
    build(toy)
    assert (toy / "out/qrels.txt").read_text() == "q1 0 p1 1\nq1 0 p3 0\n"


def test_build_queries_refuses_unstated_empty_relevant_passages(toy: Path) -> None:
    write(toy, [("q1", "first")], "q1\tp3\t1\n", "counts: {splits: {test: {empty_relevant: 1}}}\n")
    build(toy)
    assert (toy / "out/qrels.txt").read_text() == "q1 0 p3 1\n"
    write(toy, [("q1", "first")], "q1\tp3\t1\n", "counts: {splits: {test: {empty_relevant: 2}}}\n")
    with pytest.raises(DataError, match=r"1 relevant passages have no text .* state empty_relevant: 1 if this"):
        build(toy)


def test_build_queries_refuses_unstated_absent_passages(toy: Path) -> None:
    """A pooled corpus contains only part of the judged passages; measures need all judgments."""
    judged = "q1\tp1\t1\nq1\tp8\t2\nq1\tp9\t0\nq1\tp3\t0\n"
    write(toy, [("q1", "first")], judged, "counts: {splits: {test: {absent: 2, judgments: 4}}}\n")
    build(toy)
    assert (toy / "out/qrels.txt").read_text() == "q1 0 p1 1\nq1 0 p8 2\nq1 0 p9 0\nq1 0 p3 0\n"
    for stated in (1, 3):
        write(toy, [("q1", "first")], judged, f"counts: {{splits: {{test: {{absent: {stated}}}}}}}\n")
        with pytest.raises(DataError, match=r"2 judgments name passages .*, the first 'p8'; .* state absent: 2 if"):
            build(toy)
    write(toy, [("q1", "first")], "q1\tp1\t1\n", "counts: {splits: {test: {absent: 1}}}\n")
    with pytest.raises(DataError, match=r"0 judgments name passages that are not in \S+; fix the .* state absent: 0"):
        build(toy)


def test_build_queries_divides_judged_queries_into_splits(toy: Path) -> None:
    rows = [(f"q{place}", f"question {place}") for place in range(10)]
    write(toy, [*rows, ("q99", "never judged")], "".join(f"{name}\tp1\t1\n" for name, _ in rows))
    part = "{file: qrels/test.tsv, start: %s, end: %s}"
    splits = f"splits: {{train: {part % (0, 0.8)}, dev: {part % (0.8, 1)}}}"
    (toy / "toy.yaml").write_text(
        f"source: beir\nfolder: toy\n{splits}\ncounts: {{splits: {{train: {{queries: 8}}}}}}\n"
    )
    chosen = {}
    for split in ("train", "dev"):
        build(toy, split)
        chosen[split] = {query.id for query in read_jsonl(toy / "out/queries.jsonl", Query)}
        assert set(read_qrels(toy / "out/qrels.txt")) == chosen[split]
    assert (len(chosen["train"]), len(chosen["dev"])) == (8, 2)
    assert chosen["train"] | chosen["dev"] == {name for name, _ in rows}


def test_build_queries_samples_training_queries_by_seed(toy: Path) -> None:
    rows = [(f"q{place}", f"question {place}") for place in range(20)]
    judgments = "".join(f"{name}\tp1\t1\n" for name, _ in rows)
    chosen = {}
    for limit in (5, 8, 50):
        write(toy, rows, judgments, f"train_queries: {limit}\n")
        entity = toy / "toy.yaml"
        entity.write_text(entity.read_text().replace("splits: {test:", "splits: {train:"))
        build(toy, "train")
        chosen[limit] = {query.id for query in read_jsonl(toy / "out/queries.jsonl", Query)}
        assert set(read_qrels(toy / "out/qrels.txt")) == chosen[limit]
    assert [len(names) for names in chosen.values()] == [5, 8, 20]
    assert chosen[5] < chosen[8]


ONE = [("q1", "first")]


@pytest.mark.parametrize(
    ("queries", "judgments", "settings", "message"),
    [
        (
            ONE,
            "",
            "",
            r"toy\.yaml, split test: none of 0 judgments has a positive grade; fix the qrels or remove the split",
        ),
        (ONE, "q1\tp1\t0\n", "", r"split test: none of 1 judgments has a positive grade"),
        (ONE * 2, "q1\tp1\t1\n", "", r"toy\.yaml: query id 'q1' is repeated; ids must be unique$"),
        ([("q 1", "x")], "q1\tp1\t1\n", "", r"toy\.yaml: invalid query id 'q 1'; an id must not be empty"),
        ([("q1", " ")], "q1\tp1\t1\n", "", r"toy\.yaml: query q1 has no text$"),
        (
            ONE,
            "q1\tp1\t1\nq8\tp1\t1\nq9\tp1\t1\n",
            "",
            r"split test: 2 judgments name unknown queries, the first 'q8'; add these",
        ),
        (
            ONE,
            "q1\tp8\t1\nq1\tp1\t1\nq1\tp9\t1\n",
            "",
            r"2 judgments name passages that are not in .*, the first 'p8'; fix the corpus, or state absent: 2",
        ),
        (
            ONE,
            "q1\tp1\t1\nq1\tp1\t1\n",
            "",
            r"split test: passage p1 is judged twice for query q1; remove one judgment$",
        ),
        (
            ONE,
            "q1\tp3\t1\n",
            "",
            r"1 relevant passages have no text and no title, the first 'p3'; fix the corpus, or state empty_relevant",
        ),
        (
            ONE,
            "q1\tp1\t1\n",
            "counts: {splits: {test: {queries: 2, judgments: 1}}}\n",
            r"split test: counts: found 1 queries with a judgment, 2 stated; restore the data or fix the count$",
        ),
        (
            ONE,
            "q1\tp1\t1\n",
            "counts: {splits: {test: {queries: 1, judgments: 3}}}\n",
            r"split test: counts: found 1 judgments, 3 stated",
        ),
    ],
)
def test_build_queries_refuses_invalid_input_and_writes_no_file(
    toy: Path, queries: list[tuple[str, str]], judgments: str, settings: str, message: str
) -> None:
    write(toy, queries, judgments, settings)
    with pytest.raises(DataError, match=message) as caught:
        build(toy)
    assert "\n" not in str(caught.value)
    assert not (toy / "out").exists()


def test_build_queries_refuses_an_unknown_split(toy: Path) -> None:
    with pytest.raises(ConfigError, match=r"toy\.yaml: splits: no split 'train'; known: test$"):
        build(toy, "train")


@pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED does not name the shared collections")
@pytest.mark.parametrize(
    ("name", "split", "queries", "judgments", "first", "last"),
    [
        ("adi", "test", 35, 170, "1", "35"),
        ("cacm", "test", 52, 796, "1", "64"),
        ("cranfield", "test", 225, 1837, "1", "225"),
        ("trec-dl19-pool", "test", 43, 9260, "19335", "1133167"),
        ("trec-dl20-pool", "train", 43, 9299, "23849", "1136962"),
        ("trec-dl20-pool", "dev", 11, 2087, "42255", "1121353"),
        ("nfcorpus", "train", 2590, 110575, "PLAIN-3", "PLAIN-3474"),
        ("nfcorpus", "dev", 324, 11385, "PLAIN-1", "PLAIN-3471"),
        ("nfcorpus", "test", 323, 12334, "PLAIN-2", "PLAIN-3472"),
        ("vaswani", "test", 93, 2083, "1", "93"),
    ],
)
def test_build_queries_of_shared_corpora_gives_known_counts(
    name: str,
    split: str,
    queries: int,
    judgments: int,
    first: str,
    last: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYNTHRANK_DATA", f"{SHARED}/collections")
    spec, passages = CONFIG / f"{name}.yaml", tmp_path / "passages.jsonl"
    build_passages(spec=spec, passages=passages, stats=tmp_path / "stats.json")
    build_queries(spec=spec, split=split, passages=passages, queries=tmp_path / "q.jsonl", qrels=tmp_path / "qrels")
    written = list(read_jsonl(tmp_path / "q.jsonl", Query))
    assert (len(written), written[0].id, written[-1].id) == (queries, first, last)
    qrels = read_qrels(tmp_path / "qrels")
    assert sum(map(len, qrels.values())) == judgments
    assert qrels.keys() == {query.id for query in written}


@pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED does not name the shared collections")
def test_build_queries_keeps_absent_judgments_for_published_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anserini's BM25 has nDCG@10 .5058 on DL19; without judgments of absent passages, its recall rises by .06."""
    import ir_measures

    monkeypatch.setenv("SYNTHRANK_DATA", f"{SHARED}/collections")
    spec, passages = CONFIG / "trec-dl19-pool.yaml", tmp_path / "passages.jsonl"
    build_passages(spec=spec, passages=passages, stats=tmp_path / "stats.json")
    build_queries(spec=spec, split="test", passages=passages, queries=tmp_path / "q.jsonl", qrels=tmp_path / "qrels")
    run = list(ir_measures.read_trec_run(f"{SHARED}/collections/trec-dl19/runs/bm25.trec"))
    qrels = list(ir_measures.read_trec_qrels(str(tmp_path / "qrels")))
    gain, recall = ir_measures.nDCG @ 10, ir_measures.parse_measure("R(rel=2)@100")
    whole = ir_measures.calc_aggregate([gain, recall], qrels, run)
    assert whole == {gain: pytest.approx(0.5058, abs=5e-5), recall: pytest.approx(0.4910, abs=5e-5)}
    ids = {row["id"] for row in map(json.loads, passages.read_text().splitlines())}
    kept = [item for item in qrels if item.doc_id in ids]
    assert ir_measures.calc_aggregate([recall], kept, run)[recall] == pytest.approx(0.5521, abs=5e-5)


@pytest.mark.parametrize("judgments", ["", "q1\tp1\t0\n"])
def test_build_queries_refuses_a_split_without_a_relevant_passage(toy: Path, judgments: str) -> None:
    write(toy, [("q1", "first")], judgments)
    with pytest.raises(DataError, match=r"toy\.yaml, split test: none of [01] judgments has a positive grade; fix the"):
        build(toy)
    assert not (toy / "out").exists()


def test_build_queries_refuses_an_invisible_query(toy: Path) -> None:
    write(toy, [("q1", "\x01\u200b")], "q1\tp1\t1\n")
    with pytest.raises(DataError, match=r"toy\.yaml: query q1 has no text"):
        build(toy)
