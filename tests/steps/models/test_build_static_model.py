"""Static bi-encoders from a model's token table: vectors, weights and training."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses
from tiny_models import SENTENCES, tiny_encoder, tiny_llm
from transformers import AutoModelForCausalLM, AutoTokenizer

from synthrank.config.base import validate
from synthrank.config.rankers import RankerSpec
from synthrank.data.files import write_jsonl
from synthrank.data.records import Candidate, Group, Passage
from synthrank.errors import ModelError
from synthrank.rankers import train
from synthrank.rankers.base import Training
from synthrank.rankers.in_batch import MaskedNegatives
from synthrank.rankers.relevance import Relevance
from synthrank.steps.models.build_static_model import build_static_model, weighted
from synthrank.vectors.encoder import TextEncoder, cut_to, remember_tokens
from synthrank.vectors.static import StaticEncoder, is_static


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llm(tmp_path_factory.mktemp("llm") / "llm")


@pytest.fixture(scope="module")
def static(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(base, tmp_path_factory.mktemp("static"))


def made(base: Path, folder: Path, *, passages: list[Path] | None = None) -> Path:
    spec = folder / "table.yaml"
    spec.write_text("source: token-table\nmodel: tiny\n" + ("idf: toy\n" if passages else ""))
    build_static_model(spec=spec, base=base, passages=passages or [], model=folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def encoder_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "encoder")


def encoder(model: Path, length: int = 64) -> TextEncoder:
    return TextEncoder(model, query_prefix="", passage_prefix="", max_length=length, dtype_name="float32", batch_size=4)


def mean_of_rows(base: Path, text: str, length: int | None = None) -> np.ndarray:
    table = AutoModelForCausalLM.from_pretrained(base).get_input_embeddings().weight.detach().numpy()
    vector = table[AutoTokenizer.from_pretrained(base)(text, add_special_tokens=False)["input_ids"][:length]].mean(
        axis=0
    )
    return vector / np.linalg.norm(vector)


def test_static_vector_is_the_mean_of_token_rows(base: Path, static: Path) -> None:
    vectors = encoder(static).passages(list(SENTENCES[:3]))
    np.testing.assert_allclose(vectors, [mean_of_rows(base, text) for text in SENTENCES[:3]], atol=1e-5)
    source = json.loads((static / "source.json").read_text())
    assert source["entity"]["model"] == "tiny"
    assert list(source["weights"])


def test_static_encoder_cuts_texts_to_max_length(base: Path, static: Path) -> None:
    np.testing.assert_allclose(
        encoder(static, 3).passages([SENTENCES[0]])[0], mean_of_rows(base, SENTENCES[0], 3), atol=1e-5
    )


def test_static_encoder_matches_sentence_transformers(base: Path, tmp_path: Path) -> None:
    passages = tmp_path / "passages.jsonl"
    write_jsonl(passages, [Passage(str(place), text) for place, text in enumerate(SENTENCES)])
    model = made(base, tmp_path, passages=[passages])
    stated = {"query_prefix": "query: ", "passage_prefix": "p: ", "max_length": 5}
    mine = StaticEncoder(model, **stated)
    theirs = TextEncoder(model, **stated, dtype_name="float32", batch_size=4)
    texts = [*SENTENCES, "", "Ψ 森", "word " * 500]
    np.testing.assert_allclose(mine.queries(texts), theirs.queries(texts), atol=2e-6)
    np.testing.assert_allclose(mine.passages(texts), theirs.passages(texts), atol=2e-6)
    bare = {**stated, "query_prefix": ""}
    assert not StaticEncoder(model, **bare).queries([""]).any(), "a text without tokens has a zero vector"


def test_is_static_distinguishes_static_models(static: Path, encoder_model: Path, tmp_path: Path) -> None:
    assert is_static(static)
    assert not is_static(encoder_model)
    broken = Path(shutil.copytree(static, tmp_path / "broken"))
    (broken / "modules.json").write_text("{")
    assert not is_static(broken)


@pytest.mark.parametrize("spoiled", ["model.safetensors", "tokenizer.json"])
def test_static_encoder_refuses_a_damaged_model(static: Path, tmp_path: Path, spoiled: str) -> None:
    broken = Path(shutil.copytree(static, tmp_path / "broken"))
    (broken / spoiled).write_bytes(b"{")
    with pytest.raises(ModelError, match=r"broken: not a static model \(.*\); expected model\.safetensors and"):
        StaticEncoder(broken, query_prefix="", passage_prefix="", max_length=4)


def test_static_encoder_refuses_infinite_values(static: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(static, tmp_path / "broken"))
    table = load_file(broken / "model.safetensors")["embedding.weight"]
    table[3, 1] = np.inf
    save_file({"embedding.weight": table}, broken / "model.safetensors")
    with pytest.raises(ModelError, match=r"broken: the table has values that are not finite"):
        StaticEncoder(broken, query_prefix="", passage_prefix="", max_length=4)


def test_weighted_scales_rows_by_idf_and_removes_components() -> None:
    generator = np.random.default_rng(1)
    table = (generator.normal(size=(50, 8)) + 5 * generator.normal(size=(50, 1)) * np.ones(8)).astype(np.float32)
    idf = np.linspace(0, 3, 50, dtype=np.float32)
    found = weighted(table, idf, 1)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), idf, atol=1e-5)
    # the direction that all columns share makes up most of the first component
    centred = (table - table.mean(axis=0)).astype(np.float64)
    first = np.linalg.svd(centred, full_matrices=False)[2][0]
    assert np.abs(found @ first).max() < 1e-3


def test_build_static_model_gives_a_token_in_every_passage_zero_weight(base: Path, tmp_path: Path) -> None:
    passages = tmp_path / "passages.jsonl"
    write_jsonl(passages, [Passage("a", "the river"), Passage("b", "the sea"), Passage("c", "the bread")])
    model = SentenceTransformer(str(made(base, tmp_path, passages=[passages])), device="cpu")
    table = model[0].embedding.weight.detach().numpy()
    ids = {text: model[0].tokenizer.encode(text, add_special_tokens=False).ids for text in ("the river", "the sea")}
    shared = set(ids["the river"]) & set(ids["the sea"])
    everywhere = [
        place for place in shared if place in model[0].tokenizer.encode("the bread", add_special_tokens=False).ids
    ]
    assert np.abs(table[everywhere]).max() < 1e-6
    absent = model[0].tokenizer.encode("Z", add_special_tokens=False).ids[-1]
    assert np.linalg.norm(table[absent]) == pytest.approx(math.log(4), rel=1e-4)


def test_static_model_trains_and_reloads(static: Path, tmp_path: Path) -> None:
    ranker = validate(
        RankerSpec,
        {
            "architecture": "bi-encoder", "base": {"model": "tiny"}, "max_length": 4, "loss": "multiple-negatives",
            "temperature": 0.05, "optimiser": {"learning_rate": 0.1, "epochs": 20, "batch_size": 4},
        },
        "rankers/static.yaml",
    )  # fmt: skip
    groups = [
        Group(f"q{place}", question, (Candidate(f"p{place}", text, 1.0, "human"),))
        for place, (question, text) in enumerate(
            [
                ("river", "the sea rises"),
                ("bread", "salt and dough"),
                ("spider", "links and pages"),
                ("hive", "bees dance"),
            ]
        )
    ]
    log = train(ranker, Training(static, groups, 1), tmp_path / "out")
    assert log.losses[-1][1] < log.losses[0][1]
    assert 0 < log.pairs_cut <= 4
    trained = encoder(tmp_path / "out", 4)
    scores = (
        trained.queries([group.query for group in groups])
        @ trained.passages([group.candidates[0].text for group in groups]).T
    )
    assert scores.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_static_training_encodes_each_text_once(static: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = SentenceTransformer(str(static), device="cpu")
    cut_to(model, 4)
    plain = model[0].tokenizer
    batches = [list(SENTENCES[:3]), ["", *SENTENCES[1:4], SENTENCES[1]], list(SENTENCES[:3])]
    expected = [model.preprocess(batch) for batch in batches]
    given: list[str] = []
    with remember_tokens(model):
        model[0].tokenizer._tokenizer = CountedTokenizer(plain, given)
        found = [model.preprocess(batch) for batch in batches]
        assert sorted(given) == sorted({"", *SENTENCES[:4]})
        monkeypatch.setattr(type(model[0].tokenizer), "TEXTS", 3)
        found_in_little_room = [model.preprocess(batch) for batch in batches]
    assert model[0].tokenizer is plain
    for one, other, third in zip(expected, found, found_in_little_room, strict=True):
        for name in ("input_ids", "offsets"):
            assert one[name].tolist() == other[name].tolist() == third[name].tolist()


class CountedTokenizer:
    """A tokenizer that records the texts it encodes."""

    def __init__(self, tokenizer: Any, given: list[str]) -> None:
        self.tokenizer, self.given = tokenizer, given

    def encode_batch(self, texts: list[str], *, add_special_tokens: bool) -> Any:
        self.given += texts
        return self.tokenizer.encode_batch(texts, add_special_tokens=add_special_tokens)


def test_static_loss_matches_loss_and_gradient_of_the_library(static: Path) -> None:
    columns = [list(SENTENCES[:3]), [*SENTENCES[3:5], ""], list(SENTENCES[5:8])]
    rows = [
        (Group(f"q{place}", query, items), items)
        for place, (query, *texts) in enumerate(zip(*columns, strict=True))
        for items in [tuple(Candidate(f"{place}-{n}", text, float(not n)) for n, text in enumerate(texts))]
    ]
    results = []
    for loss_of in (
        lambda model: losses.MultipleNegativesRankingLoss(model, scale=20),
        lambda model: MaskedNegatives(model, Relevance(rows), scale=20, gather_across_devices=False),
    ):
        model = SentenceTransformer(str(static), device="cpu")
        batch = [model.preprocess(texts) for texts in columns]
        loss = loss_of(model)(batch, torch.arange(3))
        loss.backward()
        results.append((loss.detach(), model[0].embedding.weight.grad))
    torch.testing.assert_close(*results)
    assert results[0][1].abs().max() > 1e-4


def test_build_static_model_refuses_a_base_without_a_token_table(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"table\.yaml: model: .* has no tokenizer\.json; a static model needs a fast"):
        made(tmp_path, tmp_path)
