"""Models with missing or infinite weights or too few positions are refused; only a new head may be random."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
import toy_task as toy
from safetensors.torch import load_file, save_file
from tiny_models import tiny_llm, tiny_splade, tiny_t5
from transformers import AutoModel, RobertaConfig, RobertaModel

from synthrank.config.augmentations import Doc2QueryQueries
from synthrank.config.llms import LocalLlm
from synthrank.config.retrievers import Sparse
from synthrank.data.records import Query
from synthrank.errors import ModelError
from synthrank.llms.local import Local
from synthrank.rankers import open_ranker, train
from synthrank.rankers.base import Collection, Training
from synthrank.rankers.cosine import open_encoder
from synthrank.rankers.cross_encoder import open_pair_model
from synthrank.retrievers.sparse import ImpactEncoder
from synthrank.runtime.model_checks import refuse_long
from synthrank.steps.queries.predictor import Predictor
from synthrank.vectors.encoder import TextEncoder, open_bi_encoder

pytestmark = pytest.mark.usefixtures("one_thread")

RERANK = {"retriever": "bm25", "depth": 4}


def cross(**changed):
    return toy.spec("cross-encoder", "listnet", rerank=RERANK, **changed)


def open_doc2query(folder):
    return Predictor(Doc2QueryQueries.model_validate({"kind": "doc2query", "model": "m", "count": 1}), folder)


def open_llm(folder):
    return Local(LocalLlm.model_validate({"backend": "local", "model": "m", "dtype": "float32"}), folder)


SPARSE = Sparse.model_validate({"kind": "sparse", "model": "m", "max_length": 32})
OPENERS = {
    "bi-encoder": open_bi_encoder,
    "cross-encoder": lambda folder: open_pair_model(cross(), folder, 1),
    "seq2seq": lambda folder: open_pair_model(toy.spec("seq2seq", "ranknet"), folder, 1),
    "decoder": lambda folder: open_pair_model(toy.spec("decoder", "ranknet"), folder, 1),
    "doc2query": open_doc2query,
    "sparse": lambda folder: ImpactEncoder(SPARSE, folder),
    "llm": open_llm,
}  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory, encoder):
    folder = tmp_path_factory.mktemp("models")
    t5 = tiny_t5(folder / "t5")
    llm = tiny_llm(folder / "llm")
    made = {"sparse": tiny_splade(folder / "splade"), "llm": llm, "decoder": llm, "seq2seq": t5, "doc2query": t5}
    trained = open_pair_model(cross(), encoder, 1)
    trained.save_as_base(folder / "cross-encoder")
    return {"bi-encoder": encoder, "cross-encoder": folder / "cross-encoder", **made}


def changed_copy(folder: Path, copy: Path, change) -> Path:
    """Copy a model's folder with its tensors changed."""
    shutil.copytree(folder, copy)
    weights = copy / "model.safetensors"
    save_file(change(load_file(weights)), weights, metadata={"format": "pt"})
    return copy


@pytest.mark.parametrize("kind", OPENERS)
def test_opening_a_model_with_prefixed_keys_is_refused(models, tmp_path, kind):
    """Models saved from within a wrapper have keys that start with ``module.``."""
    folder = changed_copy(
        models[kind], tmp_path / "lost", lambda held: {f"module.{name}": item for name, item in held.items()}
    )
    with pytest.raises(ModelError) as error:
        OPENERS[kind](folder)
    message = str(error.value)
    assert message.startswith(f"{folder}: ")
    assert " weights of a " in message
    assert "the first 'module." in message
    assert "\n" not in message


@pytest.mark.parametrize("kind", OPENERS)
def test_opening_a_model_without_a_weight_names_it(models, tmp_path, kind):
    names = [name for name in load_file(models[kind] / "model.safetensors") if "pooler" not in name]
    lost = next(name for name in sorted(names) if "layer" in name or "block" in name)
    folder = changed_copy(
        models[kind], tmp_path / "lost", lambda held: {name: item for name, item in held.items() if name != lost}
    )
    with pytest.raises(ModelError, match=r": 1 weights of a \w+ are missing, the first '.*" + lost.split(".")[-1]):
        OPENERS[kind](folder)


@pytest.mark.parametrize("kind", OPENERS)
def test_opening_an_intact_model_succeeds(models, kind):
    OPENERS[kind](models[kind])


@pytest.mark.parametrize("kind", OPENERS)
def test_opening_a_model_with_an_infinite_weight_is_refused(models, tmp_path, kind):
    def with_nan(held):
        name = next(name for name in sorted(held) if held[name].dim() == 2 and "pooler" not in name)
        held[name][0, 0] = float("nan")
        return held

    with pytest.raises(ModelError, match=r": 1 of \d+ weights are not finite, the first in "):
        OPENERS[kind](changed_copy(models[kind], tmp_path / "nan", with_nan))


def test_open_pair_model_initialises_only_a_new_head_from_the_seed(models, tmp_path):
    one, same, other = (open_pair_model(cross(), models["bi-encoder"], seed).state_dict() for seed in (1, 1, 2))
    differ = {name for name in one if not torch.equal(one[name], other[name])}
    assert differ
    assert all("classifier" in name for name in differ)
    assert all(torch.equal(one[name], same[name]) for name in one)
    # The configuration of a cross-encoder states that it has a head, so a missing head is not replaced.
    folder = changed_copy(
        models["cross-encoder"],
        tmp_path / "headless",
        lambda held: {name: item for name, item in held.items() if "classifier" not in name},
    )
    with pytest.raises(ModelError, match="2 weights of a BertForSequenceClassification are missing"):
        open_pair_model(cross(), folder, 1)


def test_open_bi_encoder_accepts_a_missing_pooler(models, tmp_path):
    folder = changed_copy(
        models["bi-encoder"],
        tmp_path / "plain",
        lambda held: {name: item for name, item in held.items() if "pooler" not in name},
    )
    assert torch.equal(
        open_bi_encoder(folder).encode("bees", convert_to_tensor=True),
        open_bi_encoder(models["bi-encoder"]).encode("bees", convert_to_tensor=True),
    )


def test_own_weights_restores_transformers_after_a_failure(tmp_path, models):
    with pytest.raises(ModelError):
        open_bi_encoder(tmp_path)
    assert not isinstance(AutoModel.from_pretrained(models["bi-encoder"]), tuple)


def overflowing(held):
    """Return finite weights with infinite products: the scale of the embeddings is close to the largest number."""
    name = next(name for name in held if name.endswith("embeddings.LayerNorm.weight"))
    return held | {name: torch.full_like(held[name], 3e38)}


def test_infinite_vectors_weights_and_scores_are_refused(models, tmp_path):
    """All weights are finite. NaN would give an empty run, or a ranking without an order."""
    dense = changed_copy(models["bi-encoder"], tmp_path / "dense", overflowing)
    stated = {"query_prefix": "", "passage_prefix": "", "max_length": 32, "dtype_name": "float32", "batch_size": 2}
    encode = TextEncoder(dense, **stated)
    for side in (encode.queries, encode.passages):
        with pytest.raises(
            ModelError, match=rf"^{dense}: the vector of 'bees' is not finite; expected finite numbers$"
        ):
            side(["bees"])
    sparse = ImpactEncoder(SPARSE, changed_copy(models["sparse"], tmp_path / "sparse", overflowing))
    with pytest.raises(ModelError, match=r"sparse: a term's weight in 'bees' is not finite; expected finite numbers$"):
        sparse.queries(["bees"])
    (tmp_path / "p.jsonl").write_text('{"id": "p1", "text": "bread", "title": ""}\n')
    scorer = open_ranker(cross(), changed_copy(models["cross-encoder"], tmp_path / "cross", overflowing), 1)
    with pytest.raises(
        ModelError, match=r"cross: the score of query q1 and passage p1 is nan; expected finite numbers$"
    ):
        scorer.rank(Collection((Query("q1", "bees"),), tmp_path / "p.jsonl", {"q1": [("p1", 1.0)]}))


@pytest.mark.parametrize("architecture", ["bi-encoder", "cross-encoder", "seq2seq", "decoder"])
def test_train_with_a_diverging_loss_fails_and_writes_no_checkpoint(models, tmp_path, architecture):
    """The trainer replaces a loss of NaN by the mean of earlier losses, here 0.0."""
    spec = toy.spec(architecture, "ranknet", rate=2e30, epochs=3)
    with pytest.raises(ModelError) as error:
        train(spec, Training(models[architecture], toy.groups(16), 1), tmp_path / "checkpoint")
    assert re.fullmatch(
        r"update \d+: the loss is (nan|inf); lower optimiser\.learning_rate or switch bf16 off", str(error.value)
    )
    assert not (tmp_path / "checkpoint").exists()


def test_train_refuses_infinite_weights_after_the_last_update(models, tmp_path):
    """The loss of the last update is finite: it is computed before the update."""
    optimiser = {"weight_decay": 1e10, "warmup": 0.0}
    spec = toy.spec("bi-encoder", "ranknet", rate=1e30, batch_size=16, optimiser=optimiser)
    with pytest.raises(ModelError) as error:
        train(spec, Training(models["bi-encoder"], toy.groups(16), 1), tmp_path / "checkpoint")
    assert re.fullmatch(
        r"after update 1, at a loss of [0-9.e-]+: \d+ of \d+ weights are not finite, the first in \S+; "
        r"lower optimiser\.learning_rate or switch bf16 off",
        str(error.value),
    )


@pytest.mark.parametrize(
    ("opened", "tokens"),
    [
        (lambda folder: open_encoder(toy.spec("bi-encoder", "listnet", eval_max_length=129), folder), "129"),
        (lambda folder: open_pair_model(cross(max_length=129), folder, 1), "129"),
        (lambda folder: open_pair_model(cross(eval_max_length=1024), folder, 1), "1024"),
    ],
)
def test_opening_a_model_with_fewer_positions_than_tokens_is_refused(models, opened, tokens):
    with pytest.raises(ModelError) as error:
        opened(models["bi-encoder"])
    assert str(error.value) == (
        f"{models['bi-encoder']}: has 128 positions, too few for {tokens} tokens; lower max_length or eval_max_length"
    )


def test_refuse_long_counts_the_positions_of_roberta_after_the_padding():
    config = RobertaConfig(
        vocab_size=9, hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=4,
        max_position_embeddings=34, pad_token_id=1,
    )  # fmt: skip
    model = RobertaModel(config)
    refuse_long(model, Path("m"), 32)
    model(torch.full((1, 32), 3))
    with pytest.raises(ModelError, match="m: has 32 positions, too few for 33 tokens"):
        refuse_long(model, Path("m"), 33)
    with pytest.raises((IndexError, RuntimeError)):
        model(torch.full((1, 33), 3))


def test_open_bi_encoder_ignores_the_prompts_of_the_model(models, tmp_path):
    """Otherwise the default prompt would precede every text and the prefix that the configuration states."""
    folder = Path(shutil.copytree(models["bi-encoder"], tmp_path / "prompted"))
    path = folder / "config_sentence_transformers.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"prompts": {"query": "search for: "}, "default_prompt_name": "query"}))
    plain, prompted = open_bi_encoder(models["bi-encoder"]), open_bi_encoder(folder)
    assert torch.equal(prompted.encode("bees", convert_to_tensor=True), plain.encode("bees", convert_to_tensor=True))
    prompted.save_pretrained(str(tmp_path / "saved"), create_model_card=False)
    settings = json.loads((tmp_path / "saved/config_sentence_transformers.json").read_text())
    assert not any(settings["prompts"].values())
    assert settings["default_prompt_name"] is None
