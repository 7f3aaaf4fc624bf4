"""Step unpack_model converts a SentencePiece tokenizer to tokenizer.json."""

import json
import shutil
import sys

import pytest
import sentencepiece
import yaml
from tiny_models import SENTENCES, tiny_t5
from transformers import AutoTokenizer

from synthrank.steps.models.unpack_model import unpack_model

TEXTS = ["Query: bees dance Document: Rain falls. Relevant:", "", "unseen <extra_id_10> Ünicode"]


@pytest.fixture
def published(tmp_path):
    """A T5 folder like monoT5's on the hub: a SentencePiece file and no tokenizer.json."""
    folder = tiny_t5(tmp_path / "t5")
    for path in folder.glob("*token*"):
        path.unlink()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 3), model_prefix=str(folder / "spiece"), vocab_size=120, pad_id=0, eos_id=1,
        unk_id=2, bos_id=-1, minloglevel=2,
    )  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 100}))
    return folder


def test_unpack_model_converts_a_sentencepiece_tokenizer(published, tmp_path, monkeypatch):
    (tmp_path / "m.yaml").write_text(yaml.safe_dump({"source": "folder", "path": str(published)}))
    expected = AutoTokenizer.from_pretrained(published)(TEXTS)["input_ids"]
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(published / "spiece.model"))
    assert expected[0] == [*pieces.encode(TEXTS[0]), 1], "the library's own pieces, and the end"
    unpack_model(spec=tmp_path / "m.yaml", model=tmp_path / "m")
    assert (tmp_path / "m/tokenizer.json").is_file()
    (tmp_path / "m/spiece.model").unlink(missing_ok=True)
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "m")
    assert tokenizer(TEXTS)["input_ids"] == expected
    assert tokenizer.convert_tokens_to_ids("<extra_id_10>") == len(tokenizer) - 11


def test_unpack_model_keeps_an_existing_tokenizer(published, tmp_path):
    (tmp_path / "m.yaml").write_text(yaml.safe_dump({"source": "folder", "path": str(published)}))
    (published / "tokenizer.json").write_text("{}")
    unpack_model(spec=tmp_path / "m.yaml", model=tmp_path / "m")
    assert (tmp_path / "m/tokenizer.json").read_text() == "{}"
    shutil.rmtree(tmp_path / "m")
