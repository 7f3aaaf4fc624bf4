"""A decoder as a reranker: scores equal those of its full logits, checkpoints, and refused models."""

import json

import pytest
import torch
import toy_task as toy
from tiny_models import SENTENCES, tiny_llm, tiny_splade, tiny_t5
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma2Config,
    GPT2Config,
    LlamaConfig,
    PhiConfig,
    Qwen3Config,
)

from synthrank.errors import ConfigError, ModelError
from synthrank.rankers import train
from synthrank.rankers.base import Training
from synthrank.rankers.batching import BatchLimits
from synthrank.rankers.cross_encoder import open_pair_model
from synthrank.rankers.prompt_score import STRATEGIES

pytestmark = pytest.mark.usefixtures("one_thread")

QUERIES = ("bees and rain", "river and sea", "bread and salt") * 4
PAIRS = [
    (query, " ".join(SENTENCES[place : place + 1 + place % 3])) for place, query in enumerate(QUERIES[: len(SENTENCES)])
]
PROMPT = toy.spec("decoder", "ranknet").prompt
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
GATED = {**SIZES, "intermediate_size": 64, "num_key_value_heads": 2, "head_dim": 8, "initializer_range": 0.15}
CONFIGS = {
    "tied": lambda size: LlamaConfig(vocab_size=size, tie_word_embeddings=True, **GATED),
    "qwen3": lambda size: Qwen3Config(vocab_size=size, tie_word_embeddings=True, **GATED),
    # its head caps the logits, and half of its layers attend only to the last four tokens
    "gemma2": lambda size: Gemma2Config(vocab_size=size, sliding_window=4, final_logit_softcapping=2.0, **GATED),
    "bias": lambda size: PhiConfig(vocab_size=size, intermediate_size=64, initializer_range=0.15, **SIZES),
    "gpt2": lambda size: GPT2Config(vocab_size=size, n_embd=32, n_layer=2, n_head=4, initializer_range=0.15),
}
"""Model families with different heads or position encodings."""


def make(folder, kind):
    tiny_llm(folder)
    if kind != "untied":
        vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
        torch.manual_seed(3)
        model = AutoModelForCausalLM.from_config(CONFIGS[kind](vocabulary))
        if kind == "bias":
            torch.nn.init.normal_(model.lm_head.bias)
        model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("decoders")
    return {kind: make(folder / kind, kind) for kind in ("untied", *CONFIGS)}


def spec(**changed):
    return toy.spec("decoder", "ranknet", **{"max_length": 256, **changed})


def logits(folder, pairs):
    """Return the full logits after each prompt, with one prompt per forward pass and without padding or mask."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    found = []
    for query, passage in pairs:
        ids = tokenizer(PROMPT.format(query=query, passage=passage), return_tensors="pt")["input_ids"]
        with torch.no_grad():
            found.append(model(input_ids=ids).logits[0, -1])
    return torch.stack(found)


def answers(folder):
    return AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids(["y", "n"])


def scores_of(model, pairs=PAIRS):
    return model.predict(pairs, activation_fn=torch.nn.Identity(), batch_size=len(pairs), convert_to_tensor=True)


def with_side(folder, side):
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"padding_side": side}))
    assert AutoTokenizer.from_pretrained(folder).padding_side == side


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", ["untied", *CONFIGS])
def test_decoder_scores_equal_those_of_single_pairs(models, kind, side):
    with_side(models[kind], side)
    expected = STRATEGIES["difference"](logits(models[kind], PAIRS)[:, answers(models[kind])]).tolist()
    assert max(expected) - min(expected) > 0.02
    model = open_pair_model(spec(), models[kind], 1)
    for limit in (None, BatchLimits(10_000, 10_000), BatchLimits(400, 0), BatchLimits(1, 0)):
        model.limit = limit
        assert scores_of(model).tolist() == pytest.approx(expected, rel=1e-4, abs=2e-5)
        assert scores_of(model, PAIRS[::-1]).tolist() == pytest.approx(expected[::-1], rel=1e-4, abs=2e-5)


def test_decoder_accepts_a_tokenizer_without_padding(models, tmp_path):
    folder = make(tmp_path / "llm", "untied")
    path = folder / "tokenizer_config.json"
    stated = json.loads(path.read_text())
    del stated["pad_token"]
    path.write_text(json.dumps(stated))
    assert AutoTokenizer.from_pretrained(folder).pad_token_id is None
    found = scores_of(open_pair_model(spec(), folder, 1))
    assert found.tolist() == pytest.approx(scores_of(open_pair_model(spec(), models["untied"], 1)).tolist(), abs=1e-6)


def test_decoder_softmax_is_over_the_two_answers(models):
    expected = logits(models["untied"], PAIRS)[:, answers(models["untied"])].softmax(dim=1)[:, 0]
    found = scores_of(open_pair_model(spec(score="softmax"), models["untied"], 1))
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


@pytest.mark.parametrize("kind", ["untied", "tied", "gemma2"])
def test_decoder_gradients_equal_those_of_the_full_logits(models, kind):
    model = open_pair_model(spec(), models[kind], 1).eval()
    (model(model.preprocess(PAIRS))["scores"][:, 0] * torch.arange(len(PAIRS))).sum().backward()
    plain, tokenizer = AutoModelForCausalLM.from_pretrained(models[kind]), AutoTokenizer.from_pretrained(models[kind])
    yes, no = answers(models[kind])
    for weight, (query, passage) in enumerate(PAIRS):
        output = plain(**tokenizer(PROMPT.format(query=query, passage=passage), return_tensors="pt")).logits[0, -1]
        ((output[yes] - output[no]) * weight).backward()
    found = dict(model[0].model.named_parameters())
    for name, parameter in plain.named_parameters():
        scale = float(parameter.grad.abs().max())
        torch.testing.assert_close(found[name].grad, parameter.grad, rtol=1e-3, atol=1e-3 * scale + 1e-6)


def test_decoder_prompt_keeps_the_words_after_a_long_passage(models):
    query, passage = "river and sea", " ".join(SENTENCES)
    model = open_pair_model(spec(max_length=60), models["untied"], 1)
    features = model.preprocess([(query, passage), (query, "the sea")])
    tokenizer = AutoTokenizer.from_pretrained(models["untied"])
    cut, short = (tokenizer.decode(row[mask.bool()])
                  for row, mask in zip(features["input_ids"], features["attention_mask"], strict=True))  # fmt: skip
    assert 50 < features["attention_mask"][0].sum() <= 60
    before, after = PROMPT.split("{passage}")
    assert cut.endswith(after)
    assert short == PROMPT.format(query=query, passage="the sea")
    begin = before.format(query=query)
    kept = cut[len(begin) : -len(after)]
    assert kept
    assert passage.startswith(kept)
    assert (model[0].passages_cut, model[0].queries_cut) == (1, 0)


@pytest.mark.parametrize("kind", ["untied", "tied", "qwen3"])
def test_decoder_checkpoint_is_a_plain_model_with_the_same_scores(models, tmp_path, kind):
    ranker = spec(epochs=2, batch_size=4)
    train(ranker, Training(models[kind], toy.groups(8), 1), tmp_path / "out")
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {path.name for path in models[kind].iterdir()}, "no own file, no pickle"
    made, given = (json.loads((folder / "config.json").read_text()) for folder in (tmp_path / "out", models[kind]))
    assert made == given | {"use_cache": False}, "set by the trainer"
    after, before = (logits(folder, PAIRS)[:, answers(models[kind])] for folder in (tmp_path / "out", models[kind]))
    found = scores_of(open_pair_model(ranker, tmp_path / "out", 1))
    assert found.tolist() == pytest.approx((after[:, 0] - after[:, 1]).tolist(), rel=1e-4, abs=2e-5)
    assert not torch.allclose(after, before, atol=1e-3), "it was trained"
    sides = {AutoTokenizer.from_pretrained(folder).padding_side for folder in (tmp_path / "out", models[kind])}
    assert len(sides) == 1, "generation is unchanged"


def test_decoder_bfloat16_scores_have_the_digits_of_float32(models, monkeypatch):
    monkeypatch.setattr("synthrank.runtime.torch_setup.has_bfloat16", lambda: True)  # emulated if the device lacks it
    exact = scores_of(open_pair_model(spec(), models["tied"], 1))
    model = open_pair_model(spec(), models["tied"], 1, "bfloat16")
    assert model[0].model.get_input_embeddings().weight.dtype is torch.bfloat16
    found = scores_of(model).float()
    assert not torch.equal(found, found.bfloat16().float())
    assert found.tolist() == pytest.approx(exact.tolist(), abs=0.1 * float(exact.abs().max()))


# Refused models


def test_open_decoder_refuses_other_models(models, encoder, tmp_path):
    for folder in (tmp_path, tiny_t5(tmp_path / "t5")):
        with pytest.raises(ModelError, match=f"{folder}: not a decoder "):
            open_pair_model(spec(), folder, 1)
    with pytest.raises(ModelError, match=r"weights of a BertLMHeadModel are missing"):
        open_pair_model(spec(), encoder, 1)
    with pytest.raises(ModelError, match="contains a BertForMaskedLM; expected a causal language model"):
        open_pair_model(spec(), tiny_splade(tmp_path / "splade"), 1)


def test_open_decoder_refuses_a_tokenizer_that_appends_a_token(tmp_path):
    folder = tiny_llm(tmp_path / "llm")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="$A <|im_end|>", pair="$A $B <|im_end|>", special_tokens=[("<|im_end|>", tokenizer.eos_token_id)]
    )
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match=r"the tokenizer appends <\|im_end\|> to every text; expected a tokenizer for"):
        open_pair_model(spec(), folder, 1)


def test_open_decoder_refuses_a_length_beyond_its_positions(models):
    with pytest.raises(ModelError, match="has 512 positions, too few for 513 tokens"):
        open_pair_model(spec(eval_max_length=513), models["untied"], 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"positive": "yes"}, "the answer 'yes' is not one token but 'y es'; expected a single token of the vocab"),
        ({"negative": "y"}, "'y' and 'y' are the same token; expected two"),
        ({"max_length": 4}, "max_length: 4, but the prompt"),
    ],
)
def test_open_decoder_refuses_wrong_answers_and_long_prompts(models, changed, message):
    with pytest.raises(ModelError, match=message):
        open_pair_model(spec(**changed), models["untied"], 1)


def test_ranker_file_refuses_a_prompt_without_its_fields():
    with pytest.raises(ConfigError, match=r"toy: prompt: state \{query\} and \{passage\}, each once"):
        spec(prompt="Is it?")
