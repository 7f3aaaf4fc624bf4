"""A decoder as a bi-encoder: its vectors do not depend on padding, and every text ends with a special token."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import toy_task as toy
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tiny_models import SENTENCES, tiny_encoder, tiny_llm
from tokenizers.processors import TemplateProcessing
from transformers import AutoModel, AutoTokenizer

from synthrank.errors import ModelError
from synthrank.rankers import train
from synthrank.rankers.base import Training
from synthrank.rankers.batching import BatchLimits
from synthrank.rankers.cosine import open_encoder
from synthrank.rankers.listwise import ListCollator, SimilarityListLoss
from synthrank.vectors.encoder import end_texts, open_bi_encoder

pytestmark = pytest.mark.usefixtures("one_thread")

END, BEGIN = "<|im_end|>", "<|im_start|>"


def with_side(folder, side):
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"padding_side": side}))
    return folder


@pytest.fixture(scope="module")
def decoder(tmp_path_factory):
    return tiny_llm(tmp_path_factory.mktemp("llm") / "llm")


@pytest.fixture(params=["left", "right"])
def padded(request, decoder, tmp_path):
    """Return the same model with a tokenizer that pads on the left or on the right."""
    return with_side(Path(shutil.copytree(decoder, tmp_path / request.param)), request.param)


def by_hand(folder, text, pooling, length=64):
    """Return the vector of a text by a forward pass over only its tokens."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    if pooling == "last":
        ids = ids.new_tensor([[*ids[0, : length - 1].tolist(), tokenizer.convert_tokens_to_ids(END)]])
    states = model(input_ids=ids[:, :length]).last_hidden_state[0].detach().numpy()
    vector = states[-1] if pooling == "last" else states.mean(axis=0)
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_decoder_vectors_equal_those_of_single_texts(padded, pooling):
    spec = toy.spec("bi-encoder", "ranknet", pooling=pooling, max_length=64, query_prefix="question ")
    encoder = open_encoder(spec, padded)
    np.testing.assert_allclose(
        encoder.passages(SENTENCES), [by_hand(padded, text, pooling) for text in SENTENCES], atol=1e-5
    )
    np.testing.assert_allclose(
        encoder.queries(SENTENCES[:3]),
        [by_hand(padded, f"question {text}", pooling) for text in SENTENCES[:3]],
        atol=1e-5,
    )


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_decoder_truncation_keeps_the_final_token(padded, pooling):
    encoder = open_encoder(toy.spec("bi-encoder", "ranknet", pooling=pooling, max_length=5), padded)
    np.testing.assert_allclose(
        encoder.passages(SENTENCES[:2]), [by_hand(padded, text, pooling, 5) for text in SENTENCES[:2]], atol=1e-5
    )


def test_list_loss_does_not_depend_on_the_padding_side(padded):
    """Runs of similar length are trimmed on the right, so the tokens must be on the left."""
    model = open_bi_encoder(padded, pooling="last")
    spec = toy.spec("bi-encoder", "ranknet", pooling="last", max_length=64)
    rows = [{"query": text, "passages": [text, "the sea"], "labels": [1.0, 0.0]} for text in SENTENCES]
    batch = ListCollator(model, spec)(rows)
    features = {key.removeprefix("passages_"): value for key, value in batch.items() if key.startswith("passages_")}
    loss = SimilarityListLoss(model, lambda *_: None, 0.05, BatchLimits(20, 0))
    found = loss._vectors(features).detach().numpy()
    np.testing.assert_allclose(found[::2], [by_hand(padded, text, "last") for text in SENTENCES], atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "last", None])
def test_decoder_checkpoint_opens_in_sentence_transformers(decoder, tmp_path, pooling):
    """Its files state pooling and final token, so other libraries and a ranker without them compute the same."""
    spec = toy.spec("bi-encoder", "multiple-negatives", pooling=pooling, rate=5e-3, epochs=2)
    train(spec, Training(decoder, toy.groups(16), 1), tmp_path / "out")
    here = open_encoder(spec, tmp_path / "out").passages(SENTENCES)
    before = open_encoder(spec, decoder).passages(SENTENCES)
    assert np.abs(here - before).max() > 0.01, "it was trained"
    model = SentenceTransformer(str(tmp_path / "out"), device="cpu")
    model.max_seq_length = spec.max_length
    np.testing.assert_allclose(here, model.encode(list(SENTENCES), normalize_embeddings=True), atol=1e-5)
    plain = toy.spec("bi-encoder", "multiple-negatives")
    np.testing.assert_allclose(here, open_encoder(plain, tmp_path / "out").passages(SENTENCES), atol=1e-6)
    (pools,) = [module.pooling_mode for module in model if isinstance(module, Pooling)]
    assert pools == ("lasttoken" if pooling == "last" else "mean")


# The final token of a text


def tokens(tokenizer, text="the sea"):
    return tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])


@pytest.mark.parametrize("begins", [False, True])
def test_end_texts_appends_the_token_and_saves_the_setting(decoder, tmp_path, begins):
    tokenizer = AutoTokenizer.from_pretrained(decoder)
    if begins:
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single=[BEGIN, "$A"], pair=[BEGIN, "$A", "$B"], special_tokens=[(BEGIN, tokenizer.bos_token_id or 1)]
        )
    before = tokens(tokenizer)
    assert (before[0] == BEGIN) is begins
    end_texts(tokenizer, decoder)
    assert tokens(tokenizer) == [*before, END]
    cut = tokenizer("the sea " * 9, truncation=True, max_length=6)["input_ids"]
    assert len(cut) == 6
    assert tokenizer.convert_ids_to_tokens(cut)[-1] == END
    tokenizer.save_pretrained(tmp_path / "saved")
    again = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert tokens(again) == [*before, END]
    end_texts(again, decoder)
    assert tokens(again) == [*before, END], "once"


@pytest.mark.parametrize("flag", ["add_bos_token", "add_eos_token"])
def test_end_texts_is_not_undone_by_flags_of_the_tokenizer(decoder, tmp_path, flag):
    """With these flags, which Qwen's tokenizers have, transformers makes a new post-processor on loading."""
    folder = Path(shutil.copytree(decoder, tmp_path / "flagged"))
    path = folder / "tokenizer_config.json"
    stated = json.loads(path.read_text()) | {flag: False, "tokenizer_class": "Qwen2Tokenizer"}
    path.write_text(json.dumps(stated))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    end_texts(tokenizer, folder)
    tokenizer.save_pretrained(tmp_path / "saved")
    assert tokens(AutoTokenizer.from_pretrained(tmp_path / "saved"))[-1] == END


def test_end_texts_leaves_an_encoder_unchanged(encoder):
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    before = tokens(tokenizer)
    end_texts(tokenizer, encoder)
    assert tokens(tokenizer) == before
    assert before[-1] == "[SEP]"


def test_end_texts_refuses_a_tokenizer_without_an_end_token(decoder, tmp_path):
    folder = Path(shutil.copytree(decoder, tmp_path / "endless"))
    path = folder / "tokenizer_config.json"
    stated = json.loads(path.read_text())
    del stated["eos_token"]
    path.write_text(json.dumps(stated))
    with pytest.raises(ModelError, match="pooling 'last' needs a fast tokenizer with an eos_token"):
        open_bi_encoder(folder, pooling="last")
    open_bi_encoder(folder, pooling="mean")


def test_open_bi_encoder_replaces_the_pooling_of_the_model(tmp_path):
    folder = tiny_encoder(tmp_path / "encoder")
    means, last, own = (
        open_encoder(toy.spec("bi-encoder", "ranknet", pooling=pooling), folder).passages(SENTENCES)
        for pooling in ("mean", "last", None)
    )
    np.testing.assert_allclose(own, means)
    assert np.abs(last - means).max() > 0.01
