"""Indexes of dense retrievers: results and refused inputs of each kind."""

import json
from itertools import pairwise

import faiss
import numpy as np
import pytest

from synthrank.config.base import load, validate
from synthrank.config.retrievers import Dense, RetrieverSpec
from synthrank.data.records import Query
from synthrank.data.shards import Shard
from synthrank.errors import ConfigError, DataError
from synthrank.retrievers.dense_index import build, search
from synthrank.vectors.store import read_encodings, write_encodings

PASSAGES, DIMENSIONS, DEPTH = 1000, 16, 10


@pytest.fixture(autouse=True)
def one_faiss_thread():
    """Use one thread, which always builds the same graph."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(threads)


def spec(**index):
    stated = {"kind": "dense", "model": "m", "depth": DEPTH} | ({"index": index} if index else {})
    return Dense.model_validate(stated)


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Return passages around 50 centres and queries near passages, in encodings of either type."""
    chance, folder = np.random.default_rng(13), tmp_path_factory.mktemp("case")
    centres = unit(chance.standard_normal((50, DIMENSIONS)))
    of = chance.integers(50, size=PASSAGES)
    vectors = unit(centres[of] + 0.15 * chance.standard_normal((PASSAGES, DIMENSIONS)))
    query_vectors = unit(vectors[:40] + 0.05 * chance.standard_normal((40, DIMENSIONS)))
    rows = [(f"p{place}", str(place)) for place in range(PASSAGES)]
    for dtype in ("float32", "float16"):
        write_encodings(
            lambda texts: vectors[[int(text) for text in texts]],
            rows,
            PASSAGES,
            folder / dtype,
            dtype,
            shard=Shard(1, 1),
        )
    return folder, query_vectors


QUERIES = [Query(f"q{place}", "") for place in range(40)]


def searched(case, folder, settings):
    build(read_encodings(case[0] / settings.index.dtype), settings, folder)
    return search(folder, settings, case[1], QUERIES)


GRAPH = {"kind": "hnsw", "m": 12, "ef_construction": 60, "ef_search": 60}
LISTS = {"kind": "ivf-pq", "m": 8, "nbits": 6, "nlist": 20, "nprobe": 10}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("index", "least"),
    [
        ({"kind": "flat", "dtype": "float16"}, 0.97),
        (GRAPH, 0.95),
        (GRAPH | {"dtype": "float16"}, 0.95),
        (LISTS, 0.6),
        (LISTS | {"m": 16, "nlist": None, "nprobe": 500}, 0.8),
    ],
)
def test_search_finds_most_of_the_exact_results(case, tmp_path, index, least):
    exact = searched(case, tmp_path / "exact", spec())
    found = searched(case, tmp_path / "index", spec(**index))
    shares = [len({name for name, _ in exact[query.id]} & dict(found[query.id]).keys()) / DEPTH for query in QUERIES]
    assert np.mean(shares) >= least
    assert all(len(ranked) == DEPTH for ranked in found.values())
    assert all(one[1] > other[1] for ranked in found.values() for one, other in pairwise(ranked))
    assert found["q0"][0][1] == pytest.approx(exact["q0"][0][1], abs=0.1), "scores are inner products"


@pytest.mark.parametrize("index", [LISTS, LISTS | {"training": 200}, GRAPH])
def test_build_is_deterministic(case, tmp_path, index):
    for name in "ab":
        build(read_encodings(case[0] / "float16"), spec(**index), tmp_path / name)
    files = [(tmp_path / name / "vectors.faiss").read_bytes() for name in "ab"]
    assert files[0] == files[1]
    if index["kind"] == "ivf-pq":
        build(read_encodings(case[0] / "float16"), spec(**index, seed=14), tmp_path / "c")
        assert (tmp_path / "c/vectors.faiss").read_bytes() != files[0]


def test_search_parameters_change_the_recall(case, tmp_path):
    build(read_encodings(case[0] / "float16"), spec(**LISTS), tmp_path / "lists")
    few, many = (search(tmp_path / "lists", spec(**LISTS | {"nprobe": n}), case[1], QUERIES) for n in (1, 40))
    assert few != many
    build(read_encodings(case[0] / "float16"), spec(**GRAPH), tmp_path / "graph")
    narrow, wide = (search(tmp_path / "graph", spec(**GRAPH | {"ef_search": n}), case[1], QUERIES) for n in (1, 400))
    assert sum(score for ranked in wide.values() for _, score in ranked) >= sum(
        score for ranked in narrow.values() for _, score in ranked
    )
    assert all(len(ranked) == DEPTH for ranked in narrow.values()), "at least the depth"


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (LISTS | {"m": 7}, r"index.m: got 7; expected a divisor of the 16 dimensions"),
        (LISTS | {"nlist": 1001}, r"index: 1,000 passages are too few for 1,001 lists or codes; use kind: flat"),
        (LISTS | {"training": 63}, r"index: 1,000 passages are too few for 64 lists or codes"),
    ],
)
def test_build_refuses_too_few_passages_and_wrong_dimensions(case, tmp_path, index, message):
    with pytest.raises(ConfigError, match=message):
        build(read_encodings(case[0] / "float16"), spec(**index), tmp_path / "index")


@pytest.mark.parametrize(("index", "file"), [({"kind": "flat"}, "encodings.json"), (GRAPH, "index.json")])
def test_search_refuses_an_index_of_another_version(case, tmp_path, index, file):
    build(read_encodings(case[0] / "float32"), spec(**index), tmp_path / "index")
    form = json.loads((tmp_path / "index" / file).read_text())
    (tmp_path / "index" / file).write_text(json.dumps(form | {"format": 0}))
    with pytest.raises(DataError, match=r"^\S+index: has format 0; this version reads 1: delete it$"):
        search(tmp_path / "index", spec(**index), case[1], QUERIES)
    (tmp_path / "index" / file).unlink()
    with pytest.raises(DataError, match=r"^\S+index: has no \S+.json; another version or step wrote it"):
        search(tmp_path / "index", spec(**index), case[1], QUERIES)


def test_search_refuses_an_index_of_another_kind(case, tmp_path):
    build(read_encodings(case[0] / "float16"), spec(**GRAPH), tmp_path / "index")
    with pytest.raises(DataError, match="index: kind is hnsw; expected ivf-pq"):
        search(tmp_path / "index", spec(**LISTS), case[1], QUERIES)


def test_retriever_without_an_index_has_a_flat_index(tmp_path):
    assert spec().index.model_dump() == {"kind": "flat", "dtype": "float32"}
    (tmp_path / "d.yaml").write_text("kind: dense\nmodel: m\nindex: {kind: hnsw, nprobe: 3}\n")
    with pytest.raises(ConfigError, match=r"d.yaml:\d+: unknown key 'index.nprobe' \(known: .*ef_search"):
        load(RetrieverSpec, tmp_path / "d.yaml")
    with pytest.raises(ConfigError, match=r"unknown value 'tree' \(known: flat, hnsw, ivf-pq\)"):
        validate(RetrieverSpec, {"kind": "dense", "model": "m", "index": {"kind": "tree"}}, "d.yaml")
