"""Step score_passages: scores equal the libraries' predictions for single pairs."""

import json

import pytest
from sentence_transformers import CrossEncoder, SentenceTransformer
from torch import nn

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import ScoredList, WrittenPassage
from synthrank.steps.runs.score_passages import score_passages

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = ["Bread needs flour.", "The river rises in the mountains and reaches the sea.", "Bees dance.", "Rain falls."]
WRITTEN = [WrittenPassage(f"p{place}", text, f"q{place // 2}", f"what about {place // 2}?")
           for place, text in enumerate(TEXTS)]  # fmt: skip


@pytest.fixture
def score(tmp_path):
    """Return a function that scores the passages with a model and returns (query, passage) → score."""

    def run(folder, **spec):
        (tmp_path / "spec.yaml").write_text(json.dumps(spec))
        write_jsonl(tmp_path / "passages.jsonl", WRITTEN)
        kinds = {kind: [tmp_path / "spec.yaml"] if (kind == "ranker") == ("architecture" in spec) else []
                 for kind in ("ranker", "retriever")}  # fmt: skip
        score_passages(passages=tmp_path / "passages.jsonl", model=folder, scores=tmp_path / "scores.jsonl", **kinds)
        found = list(read_jsonl(tmp_path / "scores.jsonl", ScoredList))
        assert [item.ids for item in found] == [("p0", "p1"), ("p2", "p3")]
        return [score for item in found for score in item.scores]

    return run


def test_score_passages_with_a_dense_retriever_gives_cosines(score, encoder):
    model = SentenceTransformer(str(encoder), device="cpu")
    expected = [float(model.similarity(model.encode(f"Q {item.query}"), model.encode(item.text))) for item in WRITTEN]
    assert score(encoder, kind="dense", model="m", query_prefix="Q ", max_length=64) == pytest.approx(
        expected, abs=1e-5
    )


def test_score_passages_with_a_cross_encoder_gives_logits(score, tmp_path, encoder):
    base = CrossEncoder(str(encoder), num_labels=1, device="cpu")
    base.save_pretrained(str(tmp_path / "model"))
    expected = [float(base.predict([(item.query, item.text)], activation_fn=nn.Identity())[0]) for item in WRITTEN]
    ranker = {"architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 64, "loss": "lambda",
              "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2},
              "rerank": {"retriever": "bm25", "depth": 2}}  # fmt: skip
    assert score(tmp_path / "model", **ranker) == pytest.approx(expected, abs=1e-5)
