"""A bi-encoder out of a model's token table: its vectors, its weights, its training."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses
from tiny_models import SENTENCES, tiny_encoder, tiny_llm
from transformers import AutoModelForCausalLM, AutoTokenizer

from synthrank.errors import ModelError
from synthrank.files import write_jsonl
from synthrank.models.build_static_model import build_static_model, weighted
from synthrank.rankers import train
from synthrank.rankers.base import Training
from synthrank.rankers.in_batch import MaskedNegatives
from synthrank.rankers.relevance import Relevance
from synthrank.records import Candidate, Group, Passage
from synthrank.specs.base import validate
from synthrank.specs.rankers import RankerSpec
from synthrank.static_vectors import StaticEncoder, is_static
from synthrank.vectors import TextEncoder


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


def test_a_vector_is_the_mean_of_the_rows_of_a_texts_tokens(base: Path, static: Path) -> None:
    vectors = encoder(static).passages(list(SENTENCES[:3]))
    np.testing.assert_allclose(vectors, [mean_of_rows(base, text) for text in SENTENCES[:3]], atol=1e-5)
    source = json.loads((static / "source.json").read_text())
    assert source["entity"]["model"] == "tiny"
    assert list(source["weights"])


def test_a_text_is_cut_to_max_length(base: Path, static: Path) -> None:
    np.testing.assert_allclose(
        encoder(static, 3).passages([SENTENCES[0]])[0], mean_of_rows(base, SENTENCES[0], 3), atol=1e-5
    )


def test_numpy_gives_the_vectors_of_the_library(base: Path, tmp_path: Path) -> None:
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
    assert not StaticEncoder(model, **bare).queries([""]).any(), "no token has no vector"


def test_a_static_model_is_told_from_others(static: Path, encoder_model: Path, tmp_path: Path) -> None:
    assert is_static(static)
    assert not is_static(encoder_model)
    broken = Path(shutil.copytree(static, tmp_path / "broken"))
    (broken / "modules.json").write_text("{")
    assert not is_static(broken)


@pytest.mark.parametrize("spoiled", ["model.safetensors", "tokenizer.json"])
def test_a_static_model_that_cannot_be_read_is_one_line(static: Path, tmp_path: Path, spoiled: str) -> None:
    broken = Path(shutil.copytree(static, tmp_path / "broken"))
    (broken / spoiled).write_bytes(b"{")
    with pytest.raises(ModelError, match=r"broken: not a static model \(.*\); expected model\.safetensors and"):
        StaticEncoder(broken, query_prefix="", passage_prefix="", max_length=4)


def test_a_table_with_infinite_values_is_refused(static: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(static, tmp_path / "broken"))
    table = load_file(broken / "model.safetensors")["embedding.weight"]
    table[3, 1] = np.inf
    save_file({"embedding.weight": table}, broken / "model.safetensors")
    with pytest.raises(ModelError, match=r"broken: its table has values that are not finite"):
        StaticEncoder(broken, query_prefix="", passage_prefix="", max_length=4)


def test_weighted_rows_have_the_length_of_their_idf_and_no_first_component() -> None:
    generator = np.random.default_rng(1)
    table = (generator.normal(size=(50, 8)) + 5 * generator.normal(size=(50, 1)) * np.ones(8)).astype(np.float32)
    idf = np.linspace(0, 3, 50, dtype=np.float32)
    found = weighted(table, idf, 1)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), idf, atol=1e-5)
    # the direction that all columns share is nearly all of the first component
    centred = (table - table.mean(axis=0)).astype(np.float64)
    first = np.linalg.svd(centred, full_matrices=False)[2][0]
    assert np.abs(found @ first).max() < 1e-3


def test_a_token_of_every_passage_weighs_nothing(base: Path, tmp_path: Path) -> None:
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


def test_it_trains_and_is_read_again(static: Path, tmp_path: Path) -> None:
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


def test_one_pass_over_all_columns_gives_the_librarys_loss_and_gradient(static: Path) -> None:
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


def test_a_base_without_a_token_table_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"table\.yaml: model: .* has no tokenizer\.json; a static model needs a fast"):
        made(tmp_path, tmp_path)
