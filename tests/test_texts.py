"""Texts out of a collection: the ones asked for, or an error."""

import pytest

from synthrank.errors import DataError
from synthrank.files import write_jsonl
from synthrank.records import Passage
from synthrank.texts import chunks, texts_of


@pytest.fixture
def passages(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage("007", "bond"), Passage("7", "seven"), Passage("NA", "sodium")])
    return tmp_path / "p.jsonl"


def test_only_the_texts_asked_for_are_kept(passages):
    assert texts_of(passages, iter(["NA", "007", "NA"])) == {"007": "bond", "NA": "sodium"}
    assert texts_of(passages, []) == {}


def test_a_missing_passage_is_named(passages):
    with pytest.raises(DataError) as error:
        texts_of(passages, ["7", "zz", "b"])
    assert str(error.value) == f"{passages}: 2 passages are not in it, first 'b'; was it replaced?"


def test_chunks_lose_nothing():
    assert list(chunks(iter(range(7)), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([1, 2], 2)) == [[1, 2]]
    assert list(chunks([], 2)) == []
