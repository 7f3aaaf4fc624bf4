"""Settings that rerun a costly step; changes of other settings must not rerun it."""

import pytest
from pydantic import TypeAdapter

from synthrank.config.rankers import RankerSpec
from synthrank.config.retrievers import RetrieverSpec

DENSE = {"kind": "dense", "model": "m", "depth": 10, "index": {"kind": "ivf-pq", "nprobe": 4}}
SPARSE = {"kind": "sparse", "model": "m", "depth": 10}
RANKER = {
    "architecture": "bi-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "lambda", "depth": 5,
    "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2},
}  # fmt: skip
IVF = {"kind": "ivf-pq", "nprobe": 9}
HNSW = {"kind": "hnsw"}


def changes(kind, spec, change, settings):
    """Return whether a change of a file changes the settings of a step."""
    before, after = (getattr(TypeAdapter(kind).validate_python(given), settings) for given in (spec, spec | change))
    return before != after


@pytest.mark.parametrize(
    ("change", "encodes", "indexes"),
    [
        ({"depth": 11}, False, False),
        ({"query_prefix": "query: "}, False, False),
        ({"query_model": "other"}, False, False),
        ({"index": IVF}, False, False),
        ({"index": IVF | {"m": 8}}, False, True),
        ({"index": HNSW | {"dtype": "float16"}}, False, True),
        ({"index": HNSW}, True, True),
        ({"passage_prefix": "passage: "}, True, False),
        ({"model": "other"}, True, False),
        ({"max_length": 9}, True, False),
        ({"similarity": "dot"}, True, False),
    ],
)
def test_settings_of_a_dense_index_exclude_settings_of_the_search(change, encodes, indexes):
    assert changes(RetrieverSpec, DENSE, change, "encoding_settings") is encodes
    assert changes(RetrieverSpec, DENSE, change, "index_settings") is indexes


def test_settings_of_a_graph_index_exclude_settings_of_the_search():
    graph = DENSE | {"index": HNSW | {"ef_search": 64}}
    assert not changes(RetrieverSpec, graph, {"index": HNSW | {"ef_search": 128}}, "index_settings")
    assert changes(RetrieverSpec, graph, {"index": HNSW | {"ef_construction": 64}}, "index_settings")


@pytest.mark.parametrize(
    ("change", "encodes"),
    [
        ({"depth": 11}, False),
        ({"query_model": "other"}, False),
        ({"quantisation": 9}, True),
        ({"dtype": "float16"}, True),
    ],
)
def test_settings_of_sparse_encoding_exclude_settings_of_the_search(change, encodes):
    assert changes(RetrieverSpec, SPARSE, change, "encoding_settings") is encodes


@pytest.mark.parametrize(
    ("change", "trains"),
    [
        ({"depth": 6}, False),
        ({"rerank": {"retriever": "bm25"}}, False),
        ({"eval_batch_size": 2}, False),
        ({"eval_max_length": 9}, False),
        ({"temperature": 0.1}, True),
        ({"max_length": 9}, True),
        ({"base": {"model": "other"}}, True),
        ({"optimiser": RANKER["optimiser"] | {"save_every": 5}}, True),
    ],
)
def test_settings_of_training_exclude_settings_of_ranking(change, trains):
    assert changes(RankerSpec, RANKER, change, "training_settings") is trains


def test_settings_of_training_with_selection_include_settings_of_ranking():
    chosen = RANKER | {"selection": {"learning_rates": [1e-5], "epochs": [1], "retriever": "bm25"}}
    assert changes(RankerSpec, chosen, {"eval_max_length": 9}, "training_settings")
