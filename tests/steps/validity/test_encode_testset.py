"""Step encode_testset: prefixes and lengths of queries and passages; only relevant passages have a vector."""

import numpy as np
import pytest

from synthrank.config.base import load
from synthrank.config.retrievers import RetrieverSpec
from synthrank.data.files import write_jsonl
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.trec import write_qrels
from synthrank.retrievers.dense import open_encoder
from synthrank.steps.validity.encode_testset import encode_testset
from synthrank.vectors.store import read_encodings

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("words", [3, 0])
def test_encode_testset_cuts_queries_and_relevant_passages(tmp_path, encoder, words):
    spec = tmp_path / "dense.yaml"
    spec.write_text("kind: dense\nmodel: tiny\nmax_length: 64\nquery_prefix: 'settings '\n")
    write_jsonl(tmp_path / "queries.jsonl", [Query("t1", "water the bread every day"), Query("t2", "…")])
    passages = [Passage("d2", "bread needs flour and water"), Passage("d1", "water"), Passage("d3", "flour")]
    write_jsonl(tmp_path / "corpus.jsonl", passages)
    write_qrels(
        tmp_path / "qrels.txt", [Judgment("t1", name, grade) for name, grade in [("d1", 1), ("d2", 2), ("d3", 0)]]
    )
    encode_testset(
        queries=tmp_path / "queries.jsonl", qrels=tmp_path / "qrels.txt", passages=tmp_path / "corpus.jsonl",
        spec=spec, model=encoder, words=words, vectors=tmp_path / "vectors",
    )  # fmt: skip
    model = open_encoder(load(RetrieverSpec, spec), encoder)
    asked = "water the bread" if words else "water the bread every day"
    answer = "bread needs flour" if words else "bread needs flour and water"
    for side, names, expected in [
        ("query", ["t1"], model.queries([asked])),
        ("passage", ["d1", "d2"], model.passages(["water", answer])),
    ]:
        found = read_encodings(tmp_path / "vectors" / side)
        assert list(found.ids()) == names
        np.testing.assert_allclose(found.stored(0, len(names)), expected, atol=1e-6)
