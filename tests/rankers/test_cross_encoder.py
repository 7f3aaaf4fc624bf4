"""One score per pair, independent of the batch, from heads with one or two outputs."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import toy_task as toy
from sentence_transformers import CrossEncoder
from tiny_models import SENTENCES, tiny_llm, tiny_t5
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from synthrank.errors import ModelError
from synthrank.rankers import train
from synthrank.rankers.base import Training
from synthrank.rankers.batching import BatchLimits
from synthrank.rankers.cross_encoder import open_pair_model
from synthrank.rankers.datasets import count_cut
from synthrank.rankers.reranker import pairs_cut

pytestmark = pytest.mark.usefixtures("one_thread")

PAIRS = [("bees and flowers", " ".join(SENTENCES[place : place + 1 + place % 4])) for place in range(len(SENTENCES))]
LONG = {"cross-encoder": 128, "seq2seq": 200, "decoder": 300}


@pytest.fixture(scope="module")
def bases(tmp_path_factory, encoder):
    folder = tmp_path_factory.mktemp("bases")
    return {"cross-encoder": encoder, "seq2seq": tiny_t5(folder / "t5"), "decoder": tiny_llm(folder / "llm")}


def open_model(bases, architecture, **changed):
    spec = toy.spec(architecture, "ranknet", max_length=LONG[architecture], **changed)
    return open_pair_model(spec, bases[architecture], 1)


def scores_of(model, pairs):
    return model.predict(pairs, activation_fn=torch.nn.Identity(), batch_size=len(pairs), convert_to_tensor=True)


@pytest.mark.parametrize("architecture", LONG)
def test_pair_model_scores_do_not_depend_on_the_batch(bases, architecture):
    model = open_model(bases, architecture)
    alone = [float(scores_of(model, [pair])[0]) for pair in PAIRS]
    assert max(alone) - min(alone) > 0.01
    for limit in (None, BatchLimits(60, 0), BatchLimits(300, 20), BatchLimits(10_000, 10_000)):
        model.limit = limit
        assert scores_of(model, PAIRS).tolist() == pytest.approx(alone, abs=1e-5)
        backwards = scores_of(model, PAIRS[::-1]).tolist()[::-1]
        assert backwards == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("architecture", LONG)
def test_pair_model_trains_in_runs_of_similar_length(bases, architecture):
    gradients, widths = [], []
    for limit in (None, BatchLimits(100, 0)):
        model = open_model(bases, architecture).eval()
        model.limit = limit
        hook = model[0].register_forward_pre_hook(
            lambda _, given, seen=widths: seen.append(tuple(given[0]["input_ids"].shape))
        )
        model(model.preprocess(PAIRS))["scores"].square().sum().backward()
        hook.remove()
        gradients.append([parameter.grad for parameter in model.parameters() if parameter.grad is not None])
    for whole, split in zip(*gradients, strict=True):
        torch.testing.assert_close(split, whole, rtol=1e-3, atol=1e-3 * float(whole.abs().max()) + 1e-6)
    assert widths[0][0] == len(PAIRS)
    assert sum(rows for rows, _ in widths[1:]) == len(PAIRS)
    assert sum(rows * width for rows, width in widths[1:]) < 0.8 * widths[0][0] * widths[0][1]


def test_pair_model_pads_on_the_right(bases, tmp_path):
    """Runs of similar length are trimmed on the right, and positions count from the left."""
    open_model(bases, "cross-encoder").save_as_base(tmp_path / "right")
    folder = Path(shutil.copytree(tmp_path / "right", tmp_path / "left"))
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"padding_side": "left"}))
    assert AutoTokenizer.from_pretrained(folder).padding_side == "left"
    right, left = (open_model({"cross-encoder": tmp_path / side}, "cross-encoder") for side in ("right", "left"))
    for limit in (None, BatchLimits(60, 0)):
        left.limit = right.limit = limit
        assert scores_of(left, PAIRS).tolist() == pytest.approx(scores_of(right, PAIRS).tolist(), abs=1e-6)


def test_open_pair_model_refuses_a_tokenizer_without_a_padding_token(bases, tmp_path):
    folder = Path(shutil.copytree(bases["cross-encoder"], tmp_path / "unpadded"))
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text()) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    path.write_text(json.dumps({key: value for key, value in settings.items() if key != "pad_token"}))
    with pytest.raises(ModelError, match="unpadded: the tokenizer has no padding token; state pad_token") as caught:
        open_model({"cross-encoder": folder}, "cross-encoder")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("score", ["difference", "softmax"])
def test_one_score_combines_two_outputs(bases, tmp_path, score):
    """The difference of two outputs is the one output whose weights are their difference."""
    spec = toy.spec("cross-encoder", "ranknet", labels=2, score=score)
    train(spec, Training(bases["cross-encoder"], toy.groups(8), 1), tmp_path / "two")
    two = AutoModelForSequenceClassification.from_pretrained(tmp_path / "two")
    assert two.config.num_labels == 2, "the checkpoint is a plain classifier"
    one = AutoModelForSequenceClassification.from_pretrained(tmp_path / "two", num_labels=1,
                                                             ignore_mismatched_sizes=True)  # fmt: skip
    one.classifier.weight.data = two.classifier.weight.data[1:] - two.classifier.weight.data[:1]
    one.classifier.bias.data = two.classifier.bias.data[1:] - two.classifier.bias.data[:1]
    one.save_pretrained(tmp_path / "one")
    AutoTokenizer.from_pretrained(tmp_path / "two").save_pretrained(tmp_path / "one")
    single = scores_of(open_pair_model(toy.spec("cross-encoder", "ranknet"), tmp_path / "one", 1), PAIRS)
    expected = single if score == "difference" else single.sigmoid()
    found = scores_of(open_pair_model(spec, tmp_path / "two", 1), PAIRS)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    plain = CrossEncoder(str(tmp_path / "two"), device="cpu", max_length=24).predict(PAIRS)
    assert plain.shape == (len(PAIRS), 2), "other libraries load it"


def test_open_pair_model_refuses_a_head_with_other_outputs(bases, tmp_path):
    train(
        toy.spec("cross-encoder", "ranknet", labels=2),
        Training(bases["cross-encoder"], toy.groups(4), 1),
        tmp_path / "two",
    )
    with pytest.raises(ModelError, match=f"{tmp_path}/two: not a cross-encoder with 1 output") as error:
        open_pair_model(toy.spec("cross-encoder", "ranknet"), tmp_path / "two", 1)
    assert "\n" not in str(error.value)


def test_save_as_base_equals_the_library_for_one_output(bases, tmp_path):
    train(toy.spec("cross-encoder", "ranknet"), Training(bases["cross-encoder"], toy.groups(4), 1), tmp_path / "one")
    ours = open_pair_model(toy.spec("cross-encoder", "ranknet"), tmp_path / "one", 1)
    plain = CrossEncoder(str(tmp_path / "one"), device="cpu", max_length=24)
    expected = plain.predict(PAIRS, activation_fn=torch.nn.Identity())
    assert scores_of(ours, PAIRS).tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert "synthrank" not in "".join(path.read_text() for path in (tmp_path / "one").glob("*.json"))


def test_open_pair_model_keeps_the_head_in_float32(bases):
    exact = scores_of(open_model(bases, "cross-encoder"), PAIRS)
    spec = toy.spec("cross-encoder", "ranknet", max_length=128)
    found = scores_of(open_pair_model(spec, bases["cross-encoder"], 1, "bfloat16"), PAIRS)
    assert not torch.equal(found, found.bfloat16().float())
    assert found.tolist() == pytest.approx(exact.tolist(), abs=0.1)


@pytest.mark.parametrize("architecture", LONG)
def test_pairs_cut_counts_truncated_pairs(bases, architecture):
    model = open_pair_model(toy.spec(architecture, "ranknet", max_length=40), bases[architecture], 1)
    pairs = [("rain", "the sea " * count) for count in range(6, 26)]
    lengths = [int(open_model(bases, architecture).preprocess([pair])["attention_mask"].sum()) for pair in pairs]
    assert pairs_cut(model, pairs) == sum(length > 40 for length in lengths)
    assert 2 < pairs_cut(model, pairs) < 18
    assert count_cut(model.tokenizer, 10, ["the sea", "the sea " * 9, "the"]) == 1
