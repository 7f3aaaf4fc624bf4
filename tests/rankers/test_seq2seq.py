"""T5 as a reranker: scores equal those of its full logits, checkpoints, and refused models."""

import json

import pytest
import torch
import toy_task as toy
from tiny_models import SENTENCES, tiny_t5
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, MT5Config, T5Config

from synthrank.errors import ModelError
from synthrank.rankers import train
from synthrank.rankers.base import Training
from synthrank.rankers.cross_encoder import open_pair_model
from synthrank.rankers.prompt_score import STRATEGIES

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
QUERIES = ("bees and rain", "river and sea", "bread and salt") * 3
PAIRS = list(zip(QUERIES, SENTENCES, strict=False))


def make(folder, kind):
    """Write a model with tied embeddings, like T5, or with a separate head, like Flan-T5 and mT5."""
    tiny_t5(folder)
    if kind == "tiny":
        return folder
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    torch.manual_seed(3)
    if kind == "tied":
        model = AutoModelForSeq2SeqLM.from_config(T5Config(vocab_size=vocabulary, **SIZES))
    else:
        config = (MT5Config if kind == "mt5" else T5Config)(
            vocab_size=vocabulary, feed_forward_proj="gated-gelu", tie_word_embeddings=False, **SIZES
        )
        model = AutoModelForSeq2SeqLM.from_config(config)
        model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.shared.weight) * config.d_model**-0.5)
    model.generation_config.num_beams = 3
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("t5")
    return {kind: make(folder / kind, kind) for kind in ("tiny", "tied", "untied", "mt5")}


def logits(folder, pairs):
    """Return the full logits of the first decoder step, one prompt per forward pass, like the published script."""
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    found = []
    for query, passage in pairs:
        features = tokenizer([f"Query: {query} Document: {passage} Relevant:"], return_tensors="pt")
        with torch.no_grad():
            output = model(**features, decoder_input_ids=torch.full((1, 1), model.config.decoder_start_token_id))
        found.append(output.logits[0, 0])
    return torch.stack(found)


def spec(score="difference", **changed):
    return toy.spec("seq2seq", "ranknet", score=score, **changed)


def scores_of(model, pairs=PAIRS):
    return model.predict(pairs, activation_fn=torch.nn.Identity(), batch_size=len(pairs), convert_to_tensor=True)


@pytest.mark.parametrize("score", STRATEGIES)
@pytest.mark.parametrize("kind", ["tiny", "tied", "untied", "mt5"])
def test_seq2seq_scores_equal_those_of_the_full_logits(models, kind, score):
    folder = models[kind]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    names = ["<extra_id_10>"] if score == "extra-id" else ["▁true", "▁false"]
    expected = STRATEGIES[score](logits(folder, PAIRS)[:, tokenizer.convert_tokens_to_ids(names)])
    found = scores_of(open_pair_model(spec(score), folder, 1))
    assert found.shape == (len(PAIRS),)
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-5)
    assert len({round(value, 3) for value in expected.tolist()}) > 4


def test_make_writes_tied_and_separate_heads(models):
    opened = {kind: open_pair_model(spec(), folder, 1)[0].model for kind, folder in models.items()}
    assert {kind for kind, model in opened.items() if model.lm_head.weight is model.shared.weight} == {"tiny", "tied"}
    assert opened["tied"].config.scale_decoder_outputs
    assert not opened["untied"].config.scale_decoder_outputs


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", ["tied", "untied", "mt5"])
def test_seq2seq_gradients_equal_those_of_the_full_logits(models, kind, attention):
    model = open_pair_model(spec(), models[kind], 1).eval()
    model[0].model.set_attn_implementation(attention)
    features = model.preprocess(PAIRS)
    (model(features)["scores"][:, 0] * torch.arange(9)).sum().backward()
    plain = AutoModelForSeq2SeqLM.from_pretrained(models[kind])
    output = plain(input_ids=features["input_ids"], attention_mask=features["attention_mask"],
                   decoder_input_ids=torch.zeros(9, 1, dtype=torch.long))  # fmt: skip
    true, false = model.tokenizer.convert_tokens_to_ids(["▁true", "▁false"])
    ((output.logits[:, 0, true] - output.logits[:, 0, false]) * torch.arange(9)).sum().backward()
    found = dict(model[0].model.named_parameters())
    for name, parameter in plain.named_parameters():
        scale = float(parameter.grad.abs().max())
        torch.testing.assert_close(found[name].grad, parameter.grad, rtol=1e-3, atol=1e-3 * scale + 1e-6)


def test_seq2seq_multiplies_keys_and_values_once_per_prompt(models):
    """The decoder's attention has one position, so K and V are multiplied once per prompt."""
    model = open_pair_model(spec(), models["tiny"], 1)
    multiplied = []
    for name, module in model.named_modules():
        if "EncDecAttention." in name:
            module.register_forward_hook(lambda module, given, output, name=name: multiplied.append(name[-1]))
    scores_of(model)
    assert set(multiplied) == {"q", "o"}


def test_seq2seq_training_uses_the_attention_dropout_of_the_model(models):
    model = open_pair_model(spec(), models["tiny"], 1).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for stack in (model[0].model.encoder, model[0].model.decoder):
        for block in stack.block:
            block.layer[0].SelfAttention.dropout = 0.0
    features = model.preprocess(PAIRS)
    assert len({model(features)["scores"].sum().item() for _ in range(3)}) == 3
    for block in model[0].model.decoder.block:
        block.layer[1].EncDecAttention.dropout = 0.0
    assert len({model(features)["scores"].sum().item() for _ in range(3)}) == 1


def test_seq2seq_uses_fused_attention(models, encoder):
    for architecture, folder in (("seq2seq", models["tiny"]), ("cross-encoder", encoder)):
        model = open_pair_model(toy.spec(architecture, "ranknet"), folder, 1)
        assert model.transformers_model.config._attn_implementation == "sdpa"


# Answers


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"positive": "relevant"},
            r"the answer 'relevant' is not one token but '▁ r e l e v a n t'; expected a single token",
        ),
        ({"negative": "☃"}, "the answer '☃' is not one token but"),
        ({"negative": "true"}, "'true' and 'true' are the same token; expected two"),
        ({"score": "extra-id", "extra_token": "<extra_id_100>"}, "the answer '<extra_id_100>' is not one token but"),
    ],
)
def test_open_seq2seq_refuses_wrong_answers(models, changed, message):
    with pytest.raises(ModelError, match=message) as error:
        open_pair_model(spec(**changed), models["tiny"], 1)
    assert "\n" not in str(error.value)
    assert str(models["tiny"]) in str(error.value)


def test_open_seq2seq_checks_only_answers_of_the_score(models):
    open_pair_model(spec("extra-id", positive="no such token"), models["tiny"], 1)
    open_pair_model(spec("difference", extra_token="no such token"), models["tiny"], 1)


def test_open_seq2seq_names_a_folder_without_a_model(models, encoder, tmp_path):
    for folder in (encoder, tmp_path):
        with pytest.raises(ModelError, match=f"{folder}: not a seq2seq "):
            open_pair_model(spec(), folder, 1)


# Checkpoints


@pytest.mark.parametrize("kind", ["tied", "untied"])
def test_seq2seq_checkpoint_is_a_plain_t5_with_the_same_scores(models, tmp_path, kind):
    ranker = spec(epochs=2, batch_size=4)
    train(ranker, Training(models[kind], toy.groups(8), 1), tmp_path / "out")
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {path.name for path in models[kind].iterdir()}, "no own file, no pickle"
    found = scores_of(open_pair_model(ranker, tmp_path / "out", 1))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    true, false = tokenizer.convert_tokens_to_ids(["▁true", "▁false"])
    full = logits(tmp_path / "out", PAIRS)
    assert found.tolist() == pytest.approx((full[:, true] - full[:, false]).tolist(), rel=1e-4, abs=1e-5)
    before = logits(models[kind], PAIRS)
    assert not torch.allclose(full, before, atol=1e-3), "it was trained"


@pytest.mark.parametrize("kind", ["tied", "untied"])
def test_seq2seq_checkpoint_keeps_untrained_weights(models, tmp_path, kind):
    train(spec(batch_size=4), Training(models[kind], toy.groups(4), 1), tmp_path / "out")
    before, after = (json.loads((folder / "generation_config.json").read_text())
                     for folder in (models[kind], tmp_path / "out"))  # fmt: skip
    assert after == before
    assert after["num_beams"] == 3
    config = json.loads((tmp_path / "out/config.json").read_text())
    # used by transformers before version 5 and other libraries
    assert config["tie_word_embeddings"] is (kind == "tied")
    assert config["scale_decoder_outputs"] is (kind == "tied")
    model = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "out")
    assert (model.lm_head.weight is model.shared.weight) is (kind == "tied")


# Memory and precision


def test_seq2seq_gradients_do_not_depend_on_checkpointing(models):
    gradients = []
    for on in (False, True):
        model = open_pair_model(spec(), models["tiny"], 1)
        if on:
            model.transformers_model.activation_checkpointing_enable()
        model.train()
        torch.manual_seed(0)
        model(model.preprocess(PAIRS))["scores"].sum().backward()
        gradients.append(model[0].model.shared.weight.grad)
        assert model[0].model.encoder.gradient_checkpointing is on
    torch.testing.assert_close(*gradients)


def test_seq2seq_bfloat16_scores_have_the_digits_of_float32(models, monkeypatch):
    monkeypatch.setattr("synthrank.runtime.torch_setup.has_bfloat16", lambda: True)  # emulated if the device lacks it
    exact = scores_of(open_pair_model(spec(), models["untied"], 1))
    model = open_pair_model(spec(), models["untied"], 1, "bfloat16")
    assert model[0].model.shared.weight.dtype is torch.bfloat16
    found = scores_of(model)
    assert found.dtype is torch.float32
    assert not torch.equal(found, found.bfloat16().float()), "the head's output is not rounded to three digits"
    assert found.tolist() == pytest.approx(exact.tolist(), abs=0.05 * float(exact.abs().max()))
