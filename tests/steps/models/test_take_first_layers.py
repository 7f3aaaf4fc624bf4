"""Step take_first_layers: weights and outputs equal those of the base model's first layers."""

import json
import re

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import SENTENCES, tiny_encoder, tiny_llm, tiny_splade, tiny_t5
from toy_experiment import snakemake
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer, Qwen3Config

from synthrank.config.base import validate
from synthrank.config.rankers import RankerSpec
from synthrank.data.files import sha256_of
from synthrank.errors import ModelError
from synthrank.rankers.cross_encoder import open_pair_model
from synthrank.steps.models.take_first_layers import take_first_layers
from synthrank.vectors.encoder import open_bi_encoder


def deep(folder, windows):
    """Write a Qwen3 of five layers, with different kinds of attention if ``windows``."""
    tiny_llm(folder)
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    layers = {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 2} if windows else {}
    torch.manual_seed(2)
    AutoModelForCausalLM.from_config(
        Qwen3Config(vocab_size=size, hidden_size=32, intermediate_size=64, num_hidden_layers=5, num_attention_heads=4,
                    num_key_value_heads=2, head_dim=8, initializer_range=0.15, tie_word_embeddings=True, **layers)
    ).save_pretrained(folder)  # fmt: skip
    return folder


def taken(base, folder, layers):
    (folder / "few.yaml").write_text(f"source: first-layers\nmodel: tiny\nlayers: {layers}\n")
    take_first_layers(spec=folder / "few.yaml", base=base, model=folder / "few")
    return folder / "few"


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("layers", [1, 3, 5])
def test_take_first_layers_gives_the_hidden_states_of_the_base(tmp_path, windows, layers):
    base = deep(tmp_path / "base", windows)
    few = AutoModel.from_pretrained(taken(base, tmp_path, layers))
    whole = AutoModel.from_pretrained(base)
    assert len(whole.layers) == 5
    assert len(few.layers) == layers
    ids = AutoTokenizer.from_pretrained(tmp_path / "few")(SENTENCES[0], return_tensors="pt")["input_ids"]
    assert ids.shape[1] > 8
    states = []
    whole.layers[layers - 1].register_forward_hook(lambda _, __, output: states.append(output))
    whole(input_ids=ids)
    expected = whole.norm(states[0])
    torch.testing.assert_close(few(input_ids=ids).last_hidden_state, expected)
    assert few.config.layer_types == whole.config.layer_types[:layers]


def test_take_first_layers_writes_only_its_weights_and_their_source(tmp_path):
    base = deep(tmp_path / "base", windows=False)
    few = taken(base, tmp_path, 2)
    before, after = (load_file(folder / "model.safetensors") for folder in (base, few))
    assert set(after) == {name for name in before if not any(f"layers.{place}." in name for place in (2, 3, 4))}
    assert all(torch.equal(after[name], before[name]) for name in after)
    source = json.loads((few / "source.json").read_text())
    assert (source["entity"]["model"], source["entity"]["layers"]) == ("tiny", 2)
    assert source["weights"] == {"model.safetensors": sha256_of(few / "model.safetensors")}
    assert AutoTokenizer.from_pretrained(few).chat_template == AutoTokenizer.from_pretrained(base).chat_template


def test_rankers_open_a_model_of_first_layers(tmp_path):
    few = taken(deep(tmp_path / "base", windows=False), tmp_path, 2)
    stated = {"architecture": "decoder", "base": {"model": "few"}, "max_length": 64, "loss": "lce", "positive": "y",
              "negative": "n", "optimiser": {"learning_rate": 1, "epochs": 1, "batch_size": 1},
              "rerank": {"retriever": "bm25"}}  # fmt: skip
    assert len(open_pair_model(validate(RankerSpec, stated, "few"), few, 1).transformers_model.model.layers) == 2
    assert len(open_bi_encoder(few, pooling="last").transformers_model.layers) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda folder: deep(folder, windows=False),
            r"few\.yaml: layers: got 6; expected at most 5, the layers of .*base",
        ),
        (tiny_t5, r"few\.yaml: model: .*base is not a causal language model \("),
        (tiny_encoder, "weights of a BertLMHeadModel are missing|is not a causal language model"),
        (tiny_splade, "contains a BertForMaskedLM; expected a causal language model"),
    ],
)
def test_take_first_layers_refuses_an_unsuitable_base(tmp_path, make, message):
    base = make(tmp_path / "base")
    with pytest.raises(ModelError, match=message):
        taken(base, tmp_path, 6 if "layers" in message else 1)
    assert not (tmp_path / "few").exists()


DECODER = """
architecture: decoder
base: {model: few}
max_length: 64
loss: lce
positive: y
negative: n
lora: {rank: 2, alpha: 4}
optimiser: {learning_rate: 1.0e-3, epochs: 1, batch_size: 4}
rerank: {retriever: bm25, depth: 10}
"""


@pytest.mark.workflow
def test_workflow_trains_a_ranker_from_first_layers(edited):
    tiny_llm(edited / "models/tiny-llm")
    for name, text in {
        "models/tiny-llm": "source: folder\npath: models/tiny-llm\n",
        "models/few": "source: first-layers\nmodel: tiny-llm\nlayers: 1\n",
        "rankers/decoder": DECODER,
    }.items():
        (edited / "config" / name).with_suffix(".yaml").write_text(text)
    target = "results/checkpoints/human/none/decoder/seed-1"
    output = snakemake(edited, "--dry-run", "--", target).stdout
    inputs = dict(re.findall(r"^rule (\w+):\n    input: (.*)$", output, re.MULTILINE))
    assert inputs["unpack_model"] == "config/models/tiny-llm.yaml"
    assert inputs["take_first_layers"] == "config/models/few.yaml, results/models/tiny-llm"
    assert "results/models/few" in inputs["train_ranker"].split(", ")
