"""Mixed corpora: original and rewritten passages, with every judgment for both."""

import json

import pytest

from synthrank.config.base import load
from synthrank.config.corpora import CorpusSpec
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Passage, Query
from synthrank.data.sources import open_source
from synthrank.errors import ConfigError, DataError
from synthrank.steps.corpora.mix_passages import mix_passages
from synthrank.steps.corpora.mix_qrels import mix_qrels

ORIGINALS = [Passage("p1", "one text", "One"), Passage("p2", "two words more"), Passage("p3", "three")]


@pytest.fixture
def mix(tmp_path):
    """Return a function that mixes passages and judgments and returns (passages, stats, queries, qrels)."""

    def do(rewritten, qrels="q1 0 p1 2\nq1 0 p3 0\nq2 0 p2 1\n", counts=None, originals=ORIGINALS):
        spec = {"source": "mixed", "corpus": "c", "paradigm": "llm", "splits": {"test": "dev"}, "counts": counts or {}}
        (tmp_path / "mixed.yaml").write_text(json.dumps(spec))
        write_jsonl(tmp_path / "originals.jsonl", originals)
        write_jsonl(tmp_path / "rewritten.jsonl", [Passage(name, text) for name, text in rewritten.items()])
        write_jsonl(tmp_path / "queries.jsonl", [Query("q1", "one?"), Query("q2", "two?")])
        (tmp_path / "qrels.txt").write_text(qrels)
        mix_passages(spec=tmp_path / "mixed.yaml", originals=tmp_path / "originals.jsonl",
                     rewritten=tmp_path / "rewritten.jsonl", passages=tmp_path / "out/passages.jsonl",
                     stats=tmp_path / "out/passages.json")  # fmt: skip
        mix_qrels(spec=tmp_path / "mixed.yaml", split="test", original_queries=tmp_path / "queries.jsonl",
                      original_qrels=tmp_path / "qrels.txt", passages=tmp_path / "out/passages.jsonl",
                      queries=tmp_path / "out/queries.jsonl", qrels=tmp_path / "out/qrels.txt")  # fmt: skip
        return (
            list(read_jsonl(tmp_path / "out/passages.jsonl", Passage)),
            json.loads((tmp_path / "out/passages.json").read_text()),
            list(read_jsonl(tmp_path / "out/queries.jsonl", Query)),
            (tmp_path / "out/qrels.txt").read_text(),
        )

    return do


ALL = {"p3": "a third", "p1": "a first text", "p2": "a second"}


def test_mix_writes_originals_then_rewritten_passages_and_doubles_judgments(mix):
    passages, stats, queries, qrels = mix(ALL)
    assert passages == [
        *ORIGINALS, Passage("p3@llm", "a third"), Passage("p1@llm", "a first text"), Passage("p2@llm", "a second"),
    ]  # fmt: skip
    assert stats == {
        "passages": 6, "originals": 3, "rewritten": 3, "unknown": 0, "words": 6, "words_rewritten": 7,
        "without_rewriting": 0,
    }  # fmt: skip
    assert queries == [Query("q1", "one?"), Query("q2", "two?")]
    assert qrels == (
        "q1 0 p1 2\nq1 0 p1@llm 2\nq1 0 p3 0\nq1 0 p3@llm 0\nq2 0 p2 1\nq2 0 p2@llm 1\n"
    )  # fmt: skip


def test_mix_passages_leaves_out_and_counts_passages_without_original(mix):
    passages, stats, _, _ = mix(ALL | {"p9": "of nothing"})
    assert len(passages) == 6
    assert (stats["unknown"], stats["rewritten"]) == (1, 3)


def test_mix_qrels_refuses_unstated_absent_passages(mix, tmp_path):
    some = {"p1": "a first", "p2": "a second"}
    with pytest.raises(DataError) as error:
        mix(some)
    assert str(error.value) == (
        f"{tmp_path}/mixed.yaml, split test: 1 judgments name passages that are not in {tmp_path}/out/passages.jsonl, "
        "the first 'p3@llm'; state absent: 1 if these passages have no original or were not rewritten"
    )
    assert not (tmp_path / "out/qrels.txt").exists()
    _, stats, _, qrels = mix(some, counts={"splits": {"test": {"absent": 1}}})
    assert stats["without_rewriting"] == 1
    assert "q1 0 p3@llm 0" in qrels
    with pytest.raises(DataError, match="0 judgments name passages that are not in"):
        mix(ALL, counts={"splits": {"test": {"absent": 1}}})


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"passages": 5}, "found 6 passages, 5 stated"),
        ({"splits": {"test": {"queries": 3}}}, "found 2 queries, 3 stated"),
        ({"splits": {"test": {"judgments": 3}}}, "found 6 judgments, 3 stated"),
    ],
)
def test_mix_refuses_other_counts(mix, tmp_path, counts, message):
    with pytest.raises(DataError, match=message):
        mix(ALL, counts=counts)
    assert (tmp_path / "out/passages.jsonl").exists() == ("splits" in counts)


def test_mix_passages_refuses_a_repeated_id(mix):
    with pytest.raises(DataError, match=r"rewritten\.jsonl: passage id 'p1@llm' is repeated"):
        mix(ALL, originals=[*ORIGINALS, Passage("p1@llm", "the same id by chance")])


def test_open_source_refuses_a_mixed_corpus(mix, tmp_path):
    mix(ALL)
    with pytest.raises(ConfigError, match=r"mixed\.yaml: source mixed has no files; the rule mix_passages"):
        open_source(load(CorpusSpec, tmp_path / "mixed.yaml"), tmp_path / "mixed.yaml")
