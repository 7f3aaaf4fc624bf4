"""Compare exact search by blocks with a single product in numpy."""

import numpy as np
import pytest

from synthrank.data.records import Query
from synthrank.data.shards import Shard
from synthrank.data.trec import rank
from synthrank.vectors import exact_search as module
from synthrank.vectors.exact_search import nearest
from synthrank.vectors.store import read_encodings, write_encodings

NAMES = [f"p{place * 7919 % 300}" for place in range(300)]
QUERIES = [Query(f"q{place}", "") for place in range(17)]


def searched(folder, vectors, queries, depth, dtype="float32"):
    rows = [(name, str(place)) for place, name in enumerate(NAMES)]
    write_encodings(lambda texts: vectors[[int(text) for text in texts]], rows, 300, folder, dtype, shard=Shard(1, 1))
    found = nearest(read_encodings(folder), queries, QUERIES[: len(queries)], depth)
    return {query: rank(scored) for query, scored in found.items()}


def exact(vectors, queries, depth):
    """Rank all passages per query, and return the top of the ranking."""
    scores = (queries @ vectors.T).tolist()
    return {query.id: rank(zip(NAMES, row, strict=True), depth) for query, row in zip(QUERIES, scores, strict=True)}


@pytest.mark.parametrize(("passages", "queries"), [(4096, 2048), (7, 5), (64, 17)])
@pytest.mark.parametrize("depth", [1, 10, 299, 1000])
def test_nearest_orders_ties_by_id(tmp_path, monkeypatch, passages, queries, depth):
    """Components are small integers, so products are exact and often equal."""
    monkeypatch.setattr(module, "PASSAGES_AT_ONCE", passages)
    monkeypatch.setattr(module, "QUERIES_AT_ONCE", queries)
    chance = np.random.default_rng(13)
    vectors, query_vectors = (chance.integers(-3, 4, (count, 5)).astype(np.float32) for count in (300, 17))
    assert len(np.unique(vectors @ query_vectors[0])) < 100
    assert searched(tmp_path / "v", vectors, query_vectors, depth) == exact(vectors, query_vectors, depth)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_nearest_scores_equal_those_of_the_stored_vectors(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(module, "PASSAGES_AT_ONCE", 50)
    chance = np.random.default_rng(13)
    vectors, query_vectors = (chance.standard_normal((count, 24)).astype(np.float32) for count in (300, 17))
    found = searched(tmp_path / "v", vectors, query_vectors, 40, dtype)
    expected = exact(vectors.astype(dtype).astype(np.float32), query_vectors, 40)
    for query in QUERIES:
        assert [name for name, _ in found[query.id]] == [name for name, _ in expected[query.id]]
        scores = [[score for _, score in run[query.id]] for run in (found, expected)]
        np.testing.assert_allclose(*scores, rtol=1e-4, atol=1e-5)
    apart = [
        abs(one[1] - other[1]) for one, other in zip(found["q0"], exact(vectors, query_vectors, 40)["q0"], strict=True)
    ]
    assert (max(apart) > 1e-4) == (dtype == "float16"), "scores show the rounding of float16"


def test_nearest_accepts_no_passages_and_no_queries(tmp_path):
    write_encodings(lambda texts: None, [], 0, tmp_path / "v", shard=Shard(1, 1))
    assert nearest(read_encodings(tmp_path / "v"), np.ones((1, 0), np.float32), QUERIES[:1], 5) == {"q0": []}
    assert searched(tmp_path / "w", np.ones((300, 2), np.float32), np.ones((0, 2), np.float32), 5).keys() == set()
