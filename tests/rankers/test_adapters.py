"""Low-rank adapters: only they are trained, and a checkpoint is a plain model with the same scores."""

import json
import re

import pytest
import torch
import toy_task as toy
from safetensors.torch import load_file
from tiny_models import SENTENCES, tiny_llm, tiny_t5
from transformers import AutoModelForCausalLM

from synthrank.config.training import Lora
from synthrank.data.files import write_jsonl
from synthrank.errors import ConfigError, ModelError
from synthrank.rankers import bi_encoder, reranker, train, trainers
from synthrank.rankers.adapters import add_adapters, merge_adapters
from synthrank.rankers.base import Training
from synthrank.rankers.cross_encoder import open_pair_model
from synthrank.steps.checkpoints.train_ranker import train_ranker
from synthrank.vectors.encoder import open_bi_encoder

pytestmark = pytest.mark.usefixtures("one_thread")

LORA = {"rank": 2, "alpha": 8}
PAIRS = [("bees and flowers", text) for text in SENTENCES]
ARCHITECTURES = ["decoder", "cross-encoder", "seq2seq", "bi-encoder"]


@pytest.fixture(scope="module")
def bases(tmp_path_factory, encoder):
    folder = tmp_path_factory.mktemp("bases")
    t5, llm = tiny_t5(folder / "t5"), tiny_llm(folder / "llm")
    return {"cross-encoder": encoder, "bi-encoder": llm, "seq2seq": t5, "decoder": llm}


def spec(architecture, **changed):
    loss = "multiple-negatives" if architecture == "bi-encoder" else "ranknet"
    return toy.spec(architecture, loss, **{"lora": LORA, "rate": 1e-2, "batch_size": 4, "epochs": 2, **changed})


def outputs(model, architecture):
    if architecture == "bi-encoder":
        return model.encode(list(SENTENCES), convert_to_tensor=True)
    return model.predict(PAIRS, activation_fn=torch.nn.Identity(), batch_size=len(PAIRS), convert_to_tensor=True)


def opened(architecture, folder, **changed):
    if architecture == "bi-encoder":
        return open_bi_encoder(folder)
    return open_pair_model(spec(architecture, **changed), folder, 1)


@pytest.fixture
def training(tmp_path, bases, monkeypatch):
    """Return a function that trains and returns the trained model with its adapters, and the checkpoint."""

    def do(architecture, name="out", **changed):
        seen = []
        module = bi_encoder if architecture == "bi-encoder" else reranker

        def noted(model, lora):
            seen.append(model)
            return merge_adapters(model, lora)

        monkeypatch.setattr(module, "merge_adapters", noted)
        train(spec(architecture, **changed), Training(bases[architecture], toy.groups(8), 1), tmp_path / name)
        return seen[-1].eval(), tmp_path / name

    return do


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_merge_adapters_keeps_the_outputs(training, bases, architecture):
    model, folder = training(architecture)
    with_adapters = outputs(model, architecture)
    assert any("lora_A" in name for name, _ in model.named_parameters())
    plain = outputs(opened(architecture, folder), architecture)
    torch.testing.assert_close(plain, with_adapters, rtol=1e-4, atol=1e-4)
    before = outputs(opened(architecture, bases[architecture]), architecture)
    assert not torch.allclose(plain, before, atol=1e-2), "it was trained"
    # saving does not change the trained model
    assert torch.equal(outputs(model, architecture), with_adapters)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_only_adapters_and_a_new_head_are_trained(training, bases, architecture):
    model, _ = training(architecture)
    start = opened(architecture, bases[architecture])
    own = dict(start.transformers_model.named_parameters())
    trained, frozen = set(), 0
    for name, parameter in model.transformers_model.named_parameters():
        plain = name.replace(".base_layer", "")
        if "lora_" in name:
            assert parameter.requires_grad
            # B starts as zeros. A T5's decoder has one position, so query and key have no effect on its self-attention.
            assert parameter.any() or re.search(r"decoder.*SelfAttention\.[qk]\.", name)
            continue
        if parameter.requires_grad:
            trained.add(plain)
            assert not torch.equal(parameter, own[plain])
        else:
            frozen += 1
            torch.testing.assert_close(parameter, own[plain], rtol=0, atol=0)
    heads = {"classifier.weight", "classifier.bias"} if architecture == "cross-encoder" else set()
    assert trained == heads
    assert frozen > 15


def test_checkpoint_with_adapters_is_a_plain_folder(training, bases, tmp_path):
    """Only the adapted weights differ from the base's, by a product of the rank."""
    _, folder = training("decoder", lora=LORA | {"targets": ["q_proj", "down_proj"]})
    assert {path.name for path in folder.iterdir()} == {path.name for path in bases["decoder"].iterdir()}
    before, after = (load_file(place / "model.safetensors") for place in (bases["decoder"], folder))
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.split(".")[-2] for name in changed} == {"q_proj", "down_proj"}
    assert len(changed) == 4, "of both layers"
    for name in changed:
        difference = (after[name] - before[name]).double()
        values = torch.linalg.svdvals(difference)
        assert values[1] > 1e-5
        assert values[2] < 1e-3 * values[0], "rank 2"
    made = json.loads((folder / "config.json").read_text())
    assert made == json.loads((bases["decoder"] / "config.json").read_text()) | {"use_cache": False}
    AutoModelForCausalLM.from_pretrained(folder)


def test_add_adapters_scales_the_product_by_alpha_over_rank(bases):
    model = open_pair_model(spec("decoder"), bases["decoder"], 1)
    add_adapters(model, Lora(rank=4, alpha=6, targets=("v_proj",)))
    layer = model.transformers_model.get_submodule("model.layers.0.self_attn.v_proj")
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    assert a.shape[0] == b.shape[1] == 4
    assert not b.any(), "training starts from the model itself"
    torch.nn.init.normal_(b)
    plain = merge_adapters(model, Lora(rank=4, alpha=6)).transformers_model.get_submodule(
        "model.layers.0.self_attn.v_proj"
    )
    torch.testing.assert_close(plain.weight, layer.base_layer.weight + 6 / 4 * b @ a)


def test_add_adapters_adapts_all_linear_layers_but_the_head_by_default(bases):
    found = {}
    for architecture in ARCHITECTURES:
        model = opened(architecture, bases[architecture])
        add_adapters(model, Lora(rank=1, alpha=1))
        found[architecture] = {name.split(".")[-1] for name, part in model.named_modules() if hasattr(part, "lora_A")}
    llama = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert found["decoder"] == found["bi-encoder"] == llama
    assert found["cross-encoder"] == {"query", "key", "value", "dense"}
    assert found["seq2seq"] == {"q", "k", "v", "o", "wi_0", "wi_1", "wo"}


@pytest.mark.parametrize("architecture", ["decoder", "bi-encoder"])
def test_gradient_checkpointing_trains_adapters(training, architecture):
    """The inputs of the first layer have no gradient, but its adapters have one."""
    weights = []
    for on in (False, True):
        _, folder = training(architecture, name=str(on), optimiser={"gradient_checkpointing": on})
        weights.append(load_file(folder / "model.safetensors"))
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor)


@pytest.mark.parametrize("architecture", ["decoder", "bi-encoder"])
def test_resumed_training_with_adapters_gives_the_same_weights(tmp_path, bases, monkeypatch, architecture):
    write_jsonl(tmp_path / "groups.jsonl", toy.groups(12))

    def do(name, kill=None, **optimiser):
        def on_step_end(self, args, state, control, **_):
            real(self, args, state, control)
            if state.global_step == kill:
                raise InterruptedError

        real = trainers.ProgressCallback.on_step_end
        ranker = spec(architecture, epochs=3, batch_size=4, optimiser=optimiser, lora=LORA | {"dropout": 0.2})
        (tmp_path / "ranker.yaml").write_text(json.dumps(ranker.model_dump(mode="json", exclude_none=True)))
        with monkeypatch.context() as patch:
            patch.setattr(trainers.ProgressCallback, "on_step_end", on_step_end)
            train_ranker(trainset=tmp_path / "groups.jsonl", spec=tmp_path / "ranker.yaml", base=bases[architecture],
                         seed=1, development=[], checkpoint=tmp_path / name / "seed-1")  # fmt: skip
        return tmp_path / name / "seed-1"

    whole = do("whole")
    with pytest.raises(InterruptedError):
        do("killed", kill=5, save_every=2)
    resumed = do("killed", save_every=2)
    assert json.loads((resumed / "training.json").read_text())["resumed_at"] == 4
    assert (resumed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert (resumed / "loss.csv").read_bytes() == (whole / "loss.csv").read_bytes()


def test_add_adapters_depends_on_the_seed(training):
    first, again = (load_file(training("decoder", name=name)[1] / "model.safetensors") for name in ("one", "two"))
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize(
    ("lora", "message"),
    [
        ({"rank": 0, "alpha": 1}, "toy: lora.rank must be at least 1; got 0"),
        ({"rank": 2}, "toy: missing key 'lora.alpha'"),
        ({"rank": 2, "alpha": 4, "targets": []}, "toy: lora.targets needs at least 1 item"),
    ],
)
def test_ranker_file_refuses_a_wrong_lora_block(lora, message):
    with pytest.raises(ConfigError, match=message):
        spec("decoder", lora=lora)


def test_add_adapters_refuses_a_missing_target(training):
    with pytest.raises(ModelError, match=r"^lora\.targets: Target modules .*'query'.* not found") as error:
        training("decoder", lora=LORA | {"targets": ["query"]})
    assert "\n" not in str(error.value)
