"""Failures of Anserini that its exit code does not show."""

import pytest

from synthrank.config.retrievers import Bm25
from synthrank.data.records import Query
from synthrank.errors import ModelError
from synthrank.retrievers import anserini
from synthrank.retrievers.bm25 import build_index, search


def test_search_refuses_a_query_that_lucene_refuses(tmp_path):
    """Anserini skips the query, exits with 0 and returns results of the other queries."""
    build_index([("a", "word")], tmp_path / "index", 1)
    queries = [Query("1", "word"), Query("2", " ".join(f"word{place}" for place in range(1025)))]
    with pytest.raises(
        ModelError,
        match=r"index: Anserini failed on a query, probably '2' with 1,025 distinct words \(.*TooManyClauses.*\); "
        r"shorten it: Lucene searches at most 1,024 terms$",
    ):
        search(tmp_path / "index", queries, Bm25(kind="bm25"), 1)


def test_search_refuses_a_missing_run(tmp_path, monkeypatch):
    monkeypatch.setattr(anserini, "_run", lambda *command: "Started\nError: Unable to load topic reader\n")
    with pytest.raises(ModelError, match=r"failed on a query, .*\(Error: Unable to load topic reader\)"):
        anserini.search(tmp_path, [Query("1", "word")], 10, 1)


def test_search_skips_queries_without_text(tmp_path, monkeypatch):
    monkeypatch.setattr(anserini, "_run", lambda *command: pytest.fail("no query to run"))
    assert anserini.search(tmp_path, [Query("1", " \n"), Query("2", "")], 10, 1) == {}
