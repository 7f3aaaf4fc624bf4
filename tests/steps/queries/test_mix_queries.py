"""Mixtures: the first queries of each part, evenly spread, without repeated queries."""

import json

import pytest

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Query
from synthrank.errors import BudgetError, DataError
from synthrank.steps.queries.mix_queries import mix_queries


@pytest.fixture
def mix(tmp_path):
    def do(parts):
        """``parts``: queries and the number to take, per augmentation."""
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


def test_mix_queries_takes_the_first_queries_of_each_part(mix):
    a, b = made("a", 7)[::-1], made("b", 5)
    found = mix({"a": (a, 4), "b": (b, 4)})
    assert [query for query in found if query in a] == a[:4]
    assert [query for query in found if query in b] == b[:4]
    assert len(found) == 8


def test_mix_queries_spreads_the_parts_evenly(mix):
    found = mix({"a": (made("a", 20), 20), "b": (made("b", 10), 10), "c": (made("c", 5), 5)})
    for seventh in range(1, 6):
        letters = "".join(query.id[0] for query in found[: 7 * seventh])
        assert [letters.count(letter) for letter in "abc"] == [4 * seventh, 2 * seventh, seventh]


def test_mix_queries_names_a_part_with_too_few_queries(mix):
    message = r"b/queries\.jsonl: 3 queries, but .*mix\.yaml takes 4; raise count in b, or lower the part's count"
    with pytest.raises(BudgetError, match=message):
        mix({"a": (made("a", 4), 4), "b": (made("b", 3), 4)})


def test_mix_queries_refuses_parts_with_the_same_query(mix):
    with pytest.raises(DataError, match=r"mix\.yaml: parts: query a:0 is in two parts; use different augmentations"):
        mix({"a": (made("a", 4), 4), "whole": (made("a", 2), 2)})
