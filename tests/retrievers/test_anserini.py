"""What Anserini does not say with its exit status."""

import pytest

from synthrank.errors import ModelError
from synthrank.records import Query
from synthrank.retrievers import anserini
from synthrank.retrievers.bm25 import build_index, search
from synthrank.specs.retrievers import Bm25


def test_a_query_that_lucene_refuses_is_an_error(tmp_path):
    """Anserini ends well without it: its other queries have their lists."""
    build_index([("a", "word")], tmp_path / "index", 1)
    queries = [Query("1", "word"), Query("2", " ".join(f"word{place}" for place in range(1025)))]
    with pytest.raises(ModelError, match=r"index: Anserini could not answer every query: .*TooManyClauses.* 1024"):
        search(tmp_path / "index", queries, Bm25(kind="bm25"), 1)


def test_a_run_that_was_not_written_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(anserini, "_run", lambda *command: "Started\nError: Unable to load topic reader\n")
    with pytest.raises(ModelError, match=r"could not answer every query: Error: Unable to load topic reader"):
        anserini.search(tmp_path, [Query("1", "word")], 10, 1)


def test_queries_without_text_are_not_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(anserini, "_run", lambda *command: pytest.fail("nothing to ask"))
    assert anserini.search(tmp_path, [Query("1", " \n"), Query("2", "")], 10, 1) == {}
