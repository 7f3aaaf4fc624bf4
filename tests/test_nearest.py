"""Exact search by blocks against numpy's whole product."""

import numpy as np
import pytest

from synthrank import nearest as module
from synthrank.encodings import read_encodings, write_encodings
from synthrank.nearest import nearest
from synthrank.records import Query
from synthrank.shards import Shard
from synthrank.trec import rank

NAMES = [f"p{place * 7919 % 300}" for place in range(300)]
QUERIES = [Query(f"q{place}", "") for place in range(17)]


def searched(folder, vectors, queries, depth, dtype="float32"):
    rows = [(name, str(place)) for place, name in enumerate(NAMES)]
    write_encodings(lambda texts: vectors[[int(text) for text in texts]], rows, 300, folder, dtype, shard=Shard(1, 1))
    found = nearest(read_encodings(folder), queries, QUERIES[: len(queries)], depth)
    return {query: rank(scored) for query, scored in found.items()}


def exact(vectors, queries, depth):
    """Return every query's whole list ranked, and then cut."""
    scores = (queries @ vectors.T).tolist()
    return {query.id: rank(zip(NAMES, row, strict=True), depth) for query, row in zip(QUERIES, scores, strict=True)}


@pytest.mark.parametrize(("passages", "queries"), [(4096, 2048), (7, 5), (64, 17)])
@pytest.mark.parametrize("depth", [1, 10, 299, 1000])
def test_ties_at_every_place_go_by_id(tmp_path, monkeypatch, passages, queries, depth):
    """Components are small whole numbers: products are exact, and most are the same as others."""
    monkeypatch.setattr(module, "PASSAGES_AT_ONCE", passages)
    monkeypatch.setattr(module, "QUERIES_AT_ONCE", queries)
    chance = np.random.default_rng(13)
    vectors, asked = (chance.integers(-3, 4, (count, 5)).astype(np.float32) for count in (300, 17))
    assert len(np.unique(vectors @ asked[0])) < 100
    assert searched(tmp_path / "v", vectors, asked, depth) == exact(vectors, asked, depth)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_scores_are_those_of_the_stored_vectors(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(module, "PASSAGES_AT_ONCE", 50)
    chance = np.random.default_rng(13)
    vectors, asked = (chance.standard_normal((count, 24)).astype(np.float32) for count in (300, 17))
    found = searched(tmp_path / "v", vectors, asked, 40, dtype)
    expected = exact(vectors.astype(dtype).astype(np.float32), asked, 40)
    for query in QUERIES:
        assert [name for name, _ in found[query.id]] == [name for name, _ in expected[query.id]]
        scores = [[score for _, score in run[query.id]] for run in (found, expected)]
        np.testing.assert_allclose(*scores, rtol=1e-4, atol=1e-5)
    apart = [abs(one[1] - other[1]) for one, other in zip(found["q0"], exact(vectors, asked, 40)["q0"], strict=True)]
    assert (max(apart) > 1e-4) == (dtype == "float16"), "halves are seen in the scores"


def test_no_passages_and_no_queries(tmp_path):
    write_encodings(lambda texts: None, [], 0, tmp_path / "v", shard=Shard(1, 1))
    assert nearest(read_encodings(tmp_path / "v"), np.ones((1, 0), np.float32), QUERIES[:1], 5) == {"q0": []}
    assert searched(tmp_path / "w", np.ones((300, 2), np.float32), np.ones((0, 2), np.float32), 5).keys() == set()
