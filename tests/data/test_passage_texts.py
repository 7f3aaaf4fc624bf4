"""Texts of selected passages of a corpus."""

import pytest

from synthrank.data.files import write_jsonl
from synthrank.data.passage_texts import split_into_batches, texts_of
from synthrank.data.records import Passage
from synthrank.errors import DataError


@pytest.fixture
def passages(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage("007", "bond"), Passage("7", "seven"), Passage("NA", "sodium")])
    return tmp_path / "p.jsonl"


def test_texts_of_returns_only_the_named_passages(passages):
    assert texts_of(passages, iter(["NA", "007", "NA"])) == {"007": "bond", "NA": "sodium"}
    assert texts_of(passages, []) == {}


def test_texts_of_names_a_missing_passage(passages):
    with pytest.raises(DataError) as error:
        texts_of(passages, ["7", "zz", "b"])
    assert str(error.value) == f"{passages}: 2 passages are not in it, first 'b'; was it replaced?"


def test_split_into_batches_keeps_all_items():
    assert list(split_into_batches(iter(range(7)), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(split_into_batches([1, 2], 2)) == [[1, 2]]
    assert list(split_into_batches([], 2)) == []
