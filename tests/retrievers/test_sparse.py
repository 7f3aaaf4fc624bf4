"""Learned sparse retrieval: impacts of a model, and scores of an impact index as dot products."""

import json
import logging
from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array
from sentence_transformers import SparseEncoder
from tiny_models import SENTENCES, tiny_splade

from synthrank.config.retrievers import Sparse
from synthrank.data.files import write_jsonl
from synthrank.data.records import Passage, Query
from synthrank.data.shards import Shard
from synthrank.data.trec import rank, read_run
from synthrank.errors import DataError, ModelError, ShardError
from synthrank.retrievers import impacts, sparse
from synthrank.retrievers.impacts import index_impacts, write_impacts
from synthrank.retrievers.sparse import ImpactEncoder, search
from synthrank.steps.runs.encode_sparse import encode_sparse
from synthrank.steps.runs.index_sparse import index_sparse
from synthrank.steps.runs.search_sparse import search_sparse

SPEC = {"kind": "sparse", "model": "m", "max_length": 24, "batch_size": 4, "depth": 7}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_splade(tmp_path_factory.mktemp("models") / "splade")


def settings(**changed):
    return Sparse.model_validate(SPEC | changed)


def by_library(folder, texts):
    """Return the weights by sentence-transformers, shape (texts, terms)."""
    model = SparseEncoder(str(folder), device="cpu", local_files_only=True)
    model.max_seq_length = SPEC["max_length"]
    return model.encode(texts, convert_to_sparse_tensor=False).numpy()


def as_matrix(impacts, terms):
    matrix = np.zeros((len(impacts), terms), dtype=np.int64)
    for row, weights in zip(matrix, impacts, strict=True):
        row[list(weights)] = list(weights.values())
    return matrix


# Impacts


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("quantisation", [100, 2])
def test_impacts_are_rounded_weights_without_zeros(folder, quantisation):
    texts = ["bees dance", *SENTENCES, "", " ".join(SENTENCES)]
    weights = by_library(folder, texts)
    impacts = ImpactEncoder(settings(quantisation=quantisation), folder).passages(texts)
    assert all(weight > 0 for passage in impacts for weight in passage.values())
    # Rounding of numbers close to a half is undefined in float32; no weight here is that close.
    assert np.abs(weights * quantisation % 1 - 0.5).min() > 1e-4
    assert np.array_equal(as_matrix(impacts, weights.shape[1]), np.rint(weights * quantisation))
    assert len(impacts[-2]) > 0, "an empty text is also encoded"


@pytest.mark.usefixtures("one_thread")
def test_impacts_use_the_prompts_of_the_model(folder, tmp_path):
    model = SparseEncoder(str(folder), device="cpu", local_files_only=True)
    model.prompts = {"query": "question: ", "document": "passage: "}
    model.save_pretrained(str(tmp_path / "m"), create_model_card=False)
    prompted, plain = ImpactEncoder(settings(), tmp_path / "m"), ImpactEncoder(settings(), folder)
    assert prompted.queries(["bees"]) == plain.queries(["question: bees"]) != plain.queries(["bees"])
    assert prompted.passages(["bees"]) == plain.passages(["passage: bees"])


def test_impact_encoder_refuses_other_models(encoder, tmp_path):
    with pytest.raises(ModelError, match=r"encoder: not a SPLADE model; expected a masked language model"):
        ImpactEncoder(settings(), encoder)
    with pytest.raises(ModelError, match="nothing: not a sparse encoder"):
        ImpactEncoder(settings(), tmp_path / "nothing")


# Index and search


class Fixed:
    """An encoder for texts that contain their impacts as JSON."""

    def __init__(self):
        self.calls = []

    def passages(self, texts):
        self.calls.append(list(texts))
        return [{int(term): weight for term, weight in json.loads(text).items()} for text in texts]

    queries = passages


PASSAGES = {
    "007": {1: 300, 2: 20},
    "NA": {1: 300, 2: 20, 9: 1},  # the same for every query without term 9
    "null": {2: 5000, 3: 7},
    "1e3": {1500: 250, 3: 7},
    "nothing": {},
    "ünd": {3: 1, 30521: 100},
}
QUERIES = {
    "q 1": {1: 210, 2: 3},
    "many": dict.fromkeys(range(100, 1100), 90) | dict.fromkeys(range(1200, 1600), 100) | {3: 1000},
    "none": {},
    "apart": {8: 100},
    "02": {30521: 250, 3: 100},
}


def dot_products(depth=None):
    """Return the exact run of all passages that share a term with the query."""
    scores = {
        query: {
            name: sum(weight * passage[term] for term, weight in terms.items() if term in passage)
            for name, passage in PASSAGES.items()
            if terms.keys() & passage.keys()
        }
        for query, terms in QUERIES.items()
    }
    return {query: rank(scored.items(), depth) for query, scored in scores.items() if scored}


def in_shards(folder, texts, of=1):
    """Return the folders of the impacts in the texts, and the number of texts per call."""
    encoder, parts = Fixed(), [folder / f"{number}-of-{of}" for number in range(1, of + 1)]
    for number, part in enumerate(parts, 1):
        write_impacts(encoder.passages, iter(texts), len(texts), part, Shard(number, of))
    return parts, [len(some) for some in encoder.calls]


@pytest.mark.parametrize(("of", "files"), [(1, [3]), (3, [1, 1, 1]), (5, [0, 1, 0, 1, 1])])
def test_search_scores_equal_dot_products(tmp_path, monkeypatch, caplog, of, files):
    monkeypatch.setattr(impacts, "TOGETHER", 2)
    monkeypatch.setattr(sparse, "QUERIES_AT_ONCE", 4)
    encoder, texts = Fixed(), [(name, json.dumps(terms)) for name, terms in PASSAGES.items()]
    parts, together = in_shards(tmp_path, texts, of)
    assert together == [2, 2, 2], "for every number of shards"
    assert [len(list(part.glob("*.jsonl"))) for part in parts] == files
    with caplog.at_level(logging.INFO):
        assert index_impacts(parts, len(texts), tmp_path / "index", 2) == 5
    assert "1 of 6 passages have no term weights" in caplog.text
    assert {path.name for path in tmp_path.iterdir()} == {"index", *(part.name for part in parts)}
    queries = [Query(name, json.dumps(terms)) for name, terms in QUERIES.items()]
    run = search(tmp_path / "index", queries, encoder, 3, 1)
    assert list(run) == ["q 1", "many", "02"], "queries in order, only with results"
    assert run == dot_products(3)
    assert run["q 1"][0] == ("007", 63060.0), "ties are ordered by id"
    assert "a query has 1401 terms; only the 1024 terms with the highest weights are used" in caplog.text


def test_index_impacts_refuses_a_corpus_without_weights(tmp_path):
    parts, _ = in_shards(tmp_path, [("a", "{}")])
    with pytest.raises(DataError, match=r"index: 0 of 1 passages have term weights"):
        index_impacts(parts, 1, tmp_path / "index", 1)


def test_index_impacts_refuses_missing_passages(tmp_path, monkeypatch):
    monkeypatch.setattr(impacts.anserini, "build_index", lambda *arguments: 1)
    parts, _ = in_shards(tmp_path, [("a", '{"1": 1}'), ("b", '{"1": 1}')])
    with pytest.raises(DataError, match=r"index: 1 of 2 passages were indexed; expected all"):
        index_impacts(parts, 2, tmp_path / "index", 1)


def test_index_impacts_refuses_an_incomplete_shard(tmp_path, monkeypatch):
    monkeypatch.setattr(impacts, "TOGETHER", 1)
    parts, _ = in_shards(tmp_path, [("a", '{"1": 1}'), ("b", "{}"), ("c", "{}")], 2)
    with pytest.raises(ShardError, match=r"1-of-2: 1 rows; expected 2 for shard 1 of 2 of 4 rows"):
        index_impacts(parts, 4, tmp_path / "index", 1)
    with pytest.raises(DataError, match=r"shard 1-of-1: 1 passages; expected 2"):
        write_impacts(Fixed().passages, [("a", "{}")], 2, tmp_path / "short", Shard(1, 1))


@pytest.mark.usefixtures("one_thread")
def test_sparse_steps_agree_with_the_model(tmp_path, folder):
    """Scores are dot products of the quantised weights, and close to those of the exact weights."""
    passages = [Passage(f"p{place:02}", text) for place, text in enumerate(parts())]
    queries = [Query("007", "How do bees dance?"), Query("NA", "why does it rain"), Query("q3", "restart the server")]
    write_jsonl(tmp_path / "p.jsonl", passages)
    write_jsonl(tmp_path / "q.jsonl", queries)
    spec = tmp_path / "splade.yaml"
    spec.write_text(json.dumps(SPEC))
    encode_sparse(spec=spec, model=folder, passages=tmp_path / "p.jsonl", shard="1-of-1", impacts=tmp_path / "1")
    index_sparse(passages=tmp_path / "p.jsonl", shards=[tmp_path / "1"], index=tmp_path / "index")
    search_sparse(
        spec=spec, model=folder, index=tmp_path / "index", queries=tmp_path / "q.jsonl", run=tmp_path / "splade.trec"
    )
    assert (tmp_path / "splade.trec").read_text().splitlines()[0].endswith(" splade")
    run = read_run(tmp_path / "splade.trec")
    assert list(run) == ["007", "NA", "q3"]
    of_queries = csr_array(by_library(folder, [query.text for query in queries]))
    of_passages = csr_array(by_library(folder, [passage.text for passage in passages]))
    whole = [csr_array(np.rint(weights.toarray() * 100).astype(np.int64)) for weights in (of_queries, of_passages)]
    exact, quantised = (of_queries @ of_passages.T).toarray(), (whole[0] @ whole[1].T).toarray()
    names = [passage.id for passage in passages]
    for row, query in enumerate(queries):
        assert run[query.id] == rank(zip(names, quantised[row].tolist(), strict=True), 7)
        best = {name for name, _ in rank(zip(names, exact[row].tolist(), strict=True), 7)}
        assert len(best & dict(run[query.id]).keys()) >= 6
    np.testing.assert_allclose(quantised / 100**2, exact, rtol=0.03)


def parts():
    """Return each sentence, and each pair of neighbours as one passage."""
    return [*SENTENCES, *(f"{one} {other}" for one, other in pairwise(SENTENCES))]
