"""Compare Anserini's BM25 with the formula on a tiny corpus, and with published results."""

import math
import os
from collections import Counter
from pathlib import Path

import pytest

from synthrank.config.base import load
from synthrank.config.retrievers import Bm25, RetrieverSpec
from synthrank.data.files import json_lines, read_jsonl
from synthrank.data.records import Query
from synthrank.data.trec import rank, read_qrels
from synthrank.errors import DataError
from synthrank.retrievers.bm25 import build_index, search
from synthrank.stats.measures import measure_run
from synthrank.steps.corpora.build_passages import build_passages
from synthrank.steps.corpora.build_queries import build_queries

# Stems equal words, no word is a stop word, and Lucene stores lengths below 40 exactly.
CORPUS = {
    "007": "cat cat mouse",
    "NA": "dog cat bird bird bird fish fish",
    "null": "fish swim deep",
    "1e3": "mouse mouse cheese mouse bread butter salt milk cup plant tree",
    "nan": "tree",
    "7": "dog dog",
}
QUERIES = [
    Query("01", "cat mouse"), Query("NA", "zebra"), Query("null", "Fishes  and\ndogs"),
    Query("q 4", "tree cheese bread"),
    Query("x", "cat cat dog"), Query("blank", " \n"),
]  # fmt: skip
WORDS = {"01": "cat mouse", "null": "fish dog", "q 4": "tree cheese bread", "x": "cat cat dog"}


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bm25") / "index"
    assert build_index(CORPUS.items(), folder, 1) == 6
    return folder


def by_hand(query, k1, b):
    """Return Lucene's BM25, with idf ln(1 + (N - n + .5) / (n + .5)) and without (k1 + 1) in the numerator."""
    texts = {name: Counter(text.split()) for name, text in CORPUS.items()}
    average = sum(sum(counts.values()) for counts in texts.values()) / len(texts)
    scores = Counter()
    for word in query.split():
        holding = sum(word in counts for counts in texts.values())
        idf = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
        for name, counts in texts.items():
            length = k1 * (1 - b + b * sum(counts.values()) / average)
            scores[name] += idf * counts[word] / (counts[word] + length)
    return {name: score for name, score in scores.items() if score > 0}


@pytest.mark.parametrize(("k1", "b"), [(0.9, 0.4), (1.5, 0.9)])
def test_search_scores_equal_the_formula(index, k1, b):
    run = search(index, QUERIES, Bm25(kind="bm25", k1=k1, b=b), 1)
    assert list(run) == ["01", "null", "q 4", "x"], "queries in order, only with results"
    for query, ranked in run.items():
        expected = by_hand(WORDS[query], k1, b)
        assert dict(ranked) == pytest.approx(expected, abs=1e-3)
        assert [name for name, _ in ranked] == [name for name, _ in rank(expected.items())]


def test_search_returns_at_most_depth_passages(index):
    run = search(index, QUERIES, Bm25(kind="bm25", depth=1), 1)
    for query, words in WORDS.items():
        assert [name for name, _ in run[query]] == [rank(by_hand(words, 0.9, 0.4).items())[0][0]]


def test_build_index_refuses_a_passage_without_words(tmp_path):
    with pytest.raises(DataError, match=r"index: 1 of 2 passages were indexed; expected passages with at least one"):
        build_index([("a", "word"), ("b", "")], tmp_path / "index", 1)


SHARED = os.environ.get("SYNTHRANK_SHARED", "")


@pytest.mark.skipif(not SHARED, reason="reference data: set SYNTHRANK_SHARED")
@pytest.mark.parametrize(
    ("corpus", "measure", "published"),
    [
        # Anserini, beir-v1.0.0-nfcorpus.flat
        ("nfcorpus", "nDCG@10", 0.3218),
        # Measured once with Anserini's tools on the repaired qrels. Its regression result, .3123, is for a version of
        # the corpus whose qrels lack a zero in some ids, and whose texts still have citations.
        ("cacm", "AP", 0.356),
    ],
)
def test_bm25_reproduces_published_results(tmp_path, monkeypatch, config, corpus, measure, published):
    monkeypatch.setenv("SYNTHRANK_DATA", str(Path(SHARED, "collections")))
    spec, passages = config / f"corpora/{corpus}.yaml", tmp_path / "passages.jsonl"
    build_passages(spec=spec, passages=passages, stats=tmp_path / "stats.json")
    build_queries(
        spec=spec, split="test", passages=passages, queries=tmp_path / "q.jsonl", qrels=tmp_path / "qrels.txt"
    )
    build_index(((row["id"], row["text"]) for _, row in json_lines(passages)), tmp_path / "index", 2)
    bm25 = load(RetrieverSpec, config / "retrievers/bm25.yaml").model_copy(update={"depth": 1000})
    run = search(tmp_path / "index", list(read_jsonl(tmp_path / "q.jsonl", Query)), bm25, 2)
    values = [value for *_, value in measure_run(run, read_qrels(tmp_path / "qrels.txt"), [measure], 1)]
    assert sum(values) / len(values) == pytest.approx(published, abs=0.005)
