"""A decoder as a bi-encoder: its vectors by hand, whatever the padding, and the token that ends every text."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tiny_models import SENTENCES, tiny_encoder, tiny_llm
from tokenizers.processors import TemplateProcessing
from transformers import AutoModel, AutoTokenizer

from synthrank.errors import ModelError
from synthrank.rankers import train
from synthrank.rankers.base import Training
from synthrank.rankers.cosine import open_encoder
from synthrank.rankers.listwise import ListCollator, SimilarityListLoss
from synthrank.rankers.microbatch import Budget
from synthrank.vectors import end_texts, open_bi_encoder

_found = importlib.util.spec_from_file_location("toy_task", Path(__file__).with_name("toy_task.py"))
toy = importlib.util.module_from_spec(_found)
_found.loader.exec_module(toy)

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
    """The same model whose tokenizer pads at either side."""
    return with_side(Path(shutil.copytree(decoder, tmp_path / request.param)), request.param)


def by_hand(folder, text, pooling, length=64):
    """Return the vector of a text by one forward pass over its tokens alone."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    if pooling == "last":
        ids = ids.new_tensor([[*ids[0, : length - 1].tolist(), tokenizer.convert_tokens_to_ids(END)]])
    states = model(input_ids=ids[:, :length]).last_hidden_state[0].detach().numpy()
    vector = states[-1] if pooling == "last" else states.mean(axis=0)
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_vectors_are_those_of_one_text_at_a_time_without_padding(padded, pooling):
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
def test_a_text_that_is_too_long_loses_its_end_and_keeps_the_token_after_it(padded, pooling):
    encoder = open_encoder(toy.spec("bi-encoder", "ranknet", pooling=pooling, max_length=5), padded)
    np.testing.assert_allclose(
        encoder.passages(SENTENCES[:2]), [by_hand(padded, text, pooling, 5) for text in SENTENCES[:2]], atol=1e-5
    )


def test_a_list_loss_cuts_batches_whatever_the_padding(padded):
    """Runs of like length lose columns at the right: the tokens must stand at the left."""
    model = open_bi_encoder(padded, pooling="last")
    spec = toy.spec("bi-encoder", "ranknet", pooling="last", max_length=64)
    rows = [{"query": text, "passages": [text, "the sea"], "labels": [1.0, 0.0]} for text in SENTENCES]
    batch = ListCollator(model, spec)(rows)
    features = {key.removeprefix("passages_"): value for key, value in batch.items() if key.startswith("passages_")}
    loss = SimilarityListLoss(model, lambda *_: None, 0.05, Budget(20, 0))
    found = loss._vectors(features).detach().numpy()
    np.testing.assert_allclose(found[::2], [by_hand(padded, text, "last") for text in SENTENCES], atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "last", None])
def test_a_checkpoint_is_what_sentence_transformers_opens(decoder, tmp_path, pooling):
    """Pooling and last token are in its own files: other libraries, and a ranker that states neither, compute alike."""
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


# The token that ends a text


def tokens(tokenizer, text="the sea"):
    return tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])


@pytest.mark.parametrize("begins", [False, True])
def test_texts_end_with_the_end_of_text_token_here_and_where_it_is_saved(decoder, tmp_path, begins):
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
def test_flags_of_the_tokenizer_do_not_undo_it(decoder, tmp_path, flag):
    """Qwen's tokenizers have them: with one of them transformers makes the post-processor anew on loading."""
    folder = Path(shutil.copytree(decoder, tmp_path / "flagged"))
    path = folder / "tokenizer_config.json"
    told = json.loads(path.read_text()) | {flag: False, "tokenizer_class": "Qwen2Tokenizer"}
    path.write_text(json.dumps(told))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    end_texts(tokenizer, folder)
    tokenizer.save_pretrained(tmp_path / "saved")
    assert tokens(AutoTokenizer.from_pretrained(tmp_path / "saved"))[-1] == END


def test_an_encoder_ends_texts_by_itself(encoder):
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    before = tokens(tokenizer)
    end_texts(tokenizer, encoder)
    assert tokens(tokenizer) == before
    assert before[-1] == "[SEP]"


def test_a_tokenizer_without_an_end_is_refused(decoder, tmp_path):
    folder = Path(shutil.copytree(decoder, tmp_path / "endless"))
    path = folder / "tokenizer_config.json"
    told = json.loads(path.read_text())
    del told["eos_token"]
    path.write_text(json.dumps(told))
    with pytest.raises(ModelError, match="pooling 'last' needs a fast tokenizer with an eos_token"):
        open_bi_encoder(folder, pooling="last")
    open_bi_encoder(folder, pooling="mean")


def test_pooling_of_an_entity_takes_the_place_of_the_models_own(tmp_path):
    folder = tiny_encoder(tmp_path / "encoder")
    means, last, own = (
        open_encoder(toy.spec("bi-encoder", "ranknet", pooling=pooling), folder).passages(SENTENCES)
        for pooling in ("mean", "last", None)
    )
    np.testing.assert_allclose(own, means)
    assert np.abs(last - means).max() > 0.01
