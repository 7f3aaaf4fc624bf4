"""Mixtures: the first of each part, evenly spread, and no query twice."""

import json

import pytest

from synthrank.errors import BudgetError, DataError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.queries.mix_queries import mix_queries
from synthrank.records import Query


@pytest.fixture
def mix(tmp_path):
    def do(parts):
        """``parts``: per augmentation its queries and how many are taken."""
        stated = [{"augmentation": name, "count": count} for name, (_, count) in parts.items()]
        (tmp_path / "mix.yaml").write_text(json.dumps({"kind": "mixture", "parts": stated}))
        for name, (queries, _) in parts.items():
            write_jsonl(tmp_path / name / "queries.jsonl", queries)
        mix_queries(spec=tmp_path / "mix.yaml", parts=[tmp_path / name / "queries.jsonl" for name in parts],
                    raw=tmp_path / "raw.jsonl")  # fmt: skip
        return list(read_jsonl(tmp_path / "raw.jsonl", Query))

    return do


def made(name, count):
    return [Query(f"{name}:{number}", f"{name} {number}", f"p{number}") for number in range(count)]


def test_the_first_of_each_part_in_its_own_order(mix):
    a, b = made("a", 7)[::-1], made("b", 5)
    found = mix({"a": (a, 4), "b": (b, 4)})
    assert [query for query in found if query in a] == a[:4]
    assert [query for query in found if query in b] == b[:4]
    assert len(found) == 8


def test_the_parts_are_spread_evenly(mix):
    found = mix({"a": (made("a", 20), 20), "b": (made("b", 10), 10), "c": (made("c", 5), 5)})
    for seventh in range(1, 6):
        letters = "".join(query.id[0] for query in found[: 7 * seventh])
        assert [letters.count(letter) for letter in "abc"] == [4 * seventh, 2 * seventh, seventh]


def test_a_part_that_is_too_small_is_named(mix):
    said = r"b/queries\.jsonl: holds 3 queries, but .*mix\.yaml takes 4; raise the count of b, or lower the part's"
    with pytest.raises(BudgetError, match=said):
        mix({"a": (made("a", 4), 4), "b": (made("b", 3), 4)})


def test_parts_that_hold_the_same_query_are_refused(mix):
    with pytest.raises(DataError, match=r"mix\.yaml: parts: two of them hold the query a:0; parts must be made apart"):
        mix({"a": (made("a", 4), 4), "whole": (made("a", 2), 2)})
