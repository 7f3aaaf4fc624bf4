"""Dense retrieval: pooling, similarity, and separate models of queries and passages."""

import json

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from tiny_models import SENTENCES, tiny_splade
from transformers import AutoModel, AutoTokenizer

from synthrank.config.retrievers import Dense
from synthrank.data.files import write_jsonl
from synthrank.data.records import Passage, Query
from synthrank.data.trec import rank, read_run
from synthrank.errors import DataError, ModelError, ShardError
from synthrank.retrievers.dense import open_encoder
from synthrank.steps.runs.encode_dense import encode_dense
from synthrank.steps.runs.index_dense import index_dense
from synthrank.steps.runs.search_dense import search_dense
from synthrank.vectors import store as encodings

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [*SENTENCES[:4], "bees", ""]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return the folder of a published transformer without a pooling in its files."""
    return tiny_splade(tmp_path_factory.mktemp("models") / "plain")


def opened(model, **stated):
    return open_encoder(
        Dense.model_validate({"kind": "dense", "model": "m", "max_length": 128, "batch_size": 3, **stated}), model
    )


def by_hand(folder, texts, pooling):
    """Return the vectors of single texts by the model of transformers."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        states = [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0] for text in texts]
    return np.stack([(state[0] if pooling == "cls" else state.mean(dim=0)).numpy() for state in states])


@pytest.mark.parametrize(("stated", "pooling"), [("cls", "cls"), ("mean", "mean"), (None, "mean")])
def test_encoder_pools_a_plain_transformer_as_stated(plain, stated, pooling):
    found = opened(plain, pooling=stated, similarity="dot").passages(TEXTS)
    np.testing.assert_allclose(found, by_hand(plain, TEXTS, pooling), atol=1e-5)


def test_encoder_replaces_the_pooling_of_the_model(encoder):
    found = opened(encoder, pooling="cls", similarity="dot").queries(TEXTS)
    np.testing.assert_allclose(found, by_hand(encoder, TEXTS, "cls"), atol=1e-5)
    np.testing.assert_allclose(
        opened(encoder, similarity="dot").queries(TEXTS), by_hand(encoder, TEXTS, "mean"), atol=1e-5
    )


def test_encoder_normalises_vectors_only_for_cosine(plain):
    dot, cosine = opened(plain, similarity="dot").passages(TEXTS), opened(plain).passages(TEXTS)
    lengths = np.linalg.norm(dot, axis=1, keepdims=True)
    assert np.abs(lengths - 1).min() > 0.1
    np.testing.assert_allclose(cosine, dot / lengths, atol=1e-6)


def test_encoder_refuses_a_model_without_pooling(encoder, tmp_path):
    SentenceTransformer(modules=[SentenceTransformer(str(encoder), device="cpu")[0]], device="cpu").save_pretrained(
        str(tmp_path / "bare"), create_model_card=False
    )
    with pytest.raises(ModelError, match="bare: has 0 pooling modules; pooling 'cls' can only replace a single one"):
        opened(tmp_path / "bare", pooling="cls")


def test_dense_retriever_uses_separate_models(tmp_path, encoder, plain):
    """Scores are dot products of query vectors of one model and passage vectors of another."""
    texts = [*TEXTS[:5], "bread"]
    write_jsonl(tmp_path / "p.jsonl", [Passage(f"p{place}", text) for place, text in enumerate(texts)])
    write_jsonl(tmp_path / "q.jsonl", [Query("007", "bees"), Query("NA", "why does it rain")])
    spec = tmp_path / "pair.yaml"
    stated = {
        "kind": "dense",
        "model": "a",
        "query_model": "b",
        "max_length": 128,
        "similarity": "dot",
        "pooling": "cls",
        "depth": 4,
    }
    spec.write_text(json.dumps(stated | {"query_prefix": "question: "}))
    encode_dense(spec=spec, model=encoder, passages=tmp_path / "p.jsonl", shard="1-of-1", vectors=tmp_path / "1")
    index_dense(spec=spec, passages=tmp_path / "p.jsonl", shards=[tmp_path / "1"], index=tmp_path / "index")
    run = tmp_path / "pair.trec"
    search_dense(spec=spec, model=plain, index=tmp_path / "index", queries=tmp_path / "q.jsonl", run=run)
    of_queries = by_hand(plain, ["question: bees", "question: why does it rain"], "cls")
    scores = of_queries @ by_hand(encoder, texts, "cls").T
    for (query, ranked), row in zip(read_run(run).items(), scores.tolist(), strict=True):
        expected = rank(((f"p{place}", score) for place, score in enumerate(row)), 4)
        assert [name for name, _ in ranked] == [name for name, _ in expected], query
        assert [score for _, score in ranked] == pytest.approx([score for _, score in expected], abs=1e-4)


def run_of(folder, model, shards, spec=None, texts=SENTENCES):
    """Return the bytes of a run over texts that several jobs encoded, and the folder of its index."""
    folder.mkdir()
    spec_file = folder / "minilm.yaml"
    spec_file.write_text(
        json.dumps({"kind": "dense", "model": "m", "max_length": 128, "batch_size": 3, "depth": 4} | (spec or {}))
    )
    write_jsonl(folder / "p.jsonl", [Passage(f"p{place}", text) for place, text in enumerate(texts)])
    write_jsonl(folder / "q.jsonl", [Query("007", "bees"), Query("NA", "why does it rain")])
    parts = [folder / f"{number}-of-{shards}" for number in range(1, shards + 1)]
    for part in parts:
        encode_dense(spec=spec_file, model=model, passages=folder / "p.jsonl", shard=part.name, vectors=part)
    index_dense(spec=spec_file, passages=folder / "p.jsonl", shards=parts, index=folder / "index")
    search_dense(
        spec=spec_file, model=model, index=folder / "index", queries=folder / "q.jsonl", run=folder / "minilm.trec"
    )
    return (folder / "minilm.trec").read_bytes()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_dense_run_does_not_depend_on_the_number_of_shards(tmp_path, encoder, monkeypatch, dtype):
    monkeypatch.setattr(encodings, "TOGETHER", 2)
    spec = {"index": {"kind": "flat", "dtype": dtype}}
    whole = run_of(tmp_path / "a", encoder, 1, spec)
    assert whole.count(b"\n") == 8
    assert run_of(tmp_path / "b", encoder, 3, spec) == whole
    assert run_of(tmp_path / "c", encoder, 14, spec) == whole, "more shards than passages"
    for file in ("vectors.npy", "ids.jsonl", "encodings.json"):
        files = [(tmp_path / name / "index" / file).read_bytes() for name in "abc"]
        assert files[0] == files[1] == files[2], file


def test_passages_as_queries_are_encoded_as_queries(tmp_path, encoder):
    write_jsonl(tmp_path / "p.jsonl", [Passage("p", "bees")])
    stated = {"kind": "dense", "model": "m", "max_length": 128, "query_prefix": "bread: ", "passage_prefix": "river: "}
    (tmp_path / "d.yaml").write_text(json.dumps(stated))
    given = {"spec": tmp_path / "d.yaml", "model": encoder, "passages": tmp_path / "p.jsonl", "shard": "1-of-1"}
    for side, prefix in (("passages", "river: "), ("queries", "bread: ")):
        encode_dense(**given, vectors=tmp_path / side, passages_as=side)
        found = np.load(tmp_path / side / "vectors.npy")
        np.testing.assert_allclose(found, opened(encoder, query_prefix=prefix).queries(["bees"]), atol=1e-6)


def test_index_refuses_a_missing_row_of_a_shard(tmp_path, encoder, monkeypatch):
    monkeypatch.setattr(encodings, "TOGETHER", 2)
    run_of(tmp_path / "a", encoder, 2)
    with (tmp_path / "a/p.jsonl").open("a") as stream:
        stream.write(json.dumps({"id": "new", "text": "bees"}) + "\n")
    parts, passages = [tmp_path / "a/1-of-2", tmp_path / "a/2-of-2"], tmp_path / "a/p.jsonl"
    with pytest.raises(
        ShardError, match=r"2-of-2: 5 rows; expected 6 for shard 2 of 2 of 12 rows; delete it and run again"
    ):
        index_dense(spec=tmp_path / "a/minilm.yaml", passages=passages, shards=parts, index=tmp_path / "index")
    (tmp_path / "none.jsonl").write_text("")
    encode_dense(
        spec=tmp_path / "a/minilm.yaml",
        model=encoder,
        passages=tmp_path / "none.jsonl",
        shard="1-of-1",
        vectors=tmp_path / "v",
    )
    with pytest.raises(DataError, match=r"none.jsonl: the corpus is empty"):
        index_dense(
            spec=tmp_path / "a/minilm.yaml",
            passages=tmp_path / "none.jsonl",
            shards=[tmp_path / "v"],
            index=tmp_path / "i",
        )
    assert not (tmp_path / "i").exists()
