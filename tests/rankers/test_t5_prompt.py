"""The prompt of a pair: whole if it fits, otherwise with a truncated passage and all words after it."""

import random
import re

import pytest
from tiny_models import SENTENCES, tiny_t5
from transformers import AutoTokenizer

from synthrank.errors import ModelError
from synthrank.rankers.t5_prompt import PairPrompt

TEMPLATE = "Query: {query} Document: {passage} Relevant:"
ODD = ["naïve", "☃", "x" * 40, "a-b/c", "{passage}", "0.5%", "e\u0301", "  ", "\n"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return AutoTokenizer.from_pretrained(tiny_t5(tmp_path_factory.mktemp("models") / "t5"))


def text(draw, words):
    known = re.findall(r"\w+", " ".join(SENTENCES))
    return " ".join(draw.choice(ODD) if draw.random() < 0.1 else draw.choice(known) for _ in range(words))


def whole(tokenizer, query, passage, template=TEMPLATE):
    # not str.format, because a text may contain braces
    before, between, after = re.split(r"\{query\}|\{passage\}", template)
    first, second = (query, passage) if template.index("{query}") < template.index("{passage}") else (passage, query)
    return tokenizer(f"{before}{first}{between}{second}{after}", verbose=False)["input_ids"]


@pytest.mark.parametrize("template", [TEMPLATE, "{passage} Document: {query} true?", "Relevant {passage}{query}"])
def test_fit_keeps_the_words_after_the_passage(tokenizer, template):
    draw = random.Random(template)
    pairs = [(text(draw, draw.randint(1, 5)), text(draw, draw.randint(0, 60))) for _ in range(150)]
    limit = 70
    prompt = PairPrompt(template, tokenizer, limit)
    fitted = prompt.fit(pairs)
    cut = 0
    for (query, passage), ids in zip(pairs, fitted.ids, strict=True):
        full = whole(tokenizer, query, passage, template)
        if len(full) <= limit:
            assert ids == full
            continue
        cut += 1
        assert limit - 3 <= len(ids) <= limit, "as much of the passage as fits"
        starts = [passage[:end].rstrip() for end in range(len(passage))]
        assert any(ids == whole(tokenizer, query, start, template) for start in starts), "one start of the passage"
    assert (fitted.passages_cut, fitted.queries_cut) == (cut, 0)
    assert 50 < cut < 145


def test_fit_keeps_the_end_of_the_prompt_at_every_length(tokenizer):
    pair = ("how does it work", "The river rises in the mountains and reaches the sea near the old town. " * 3)
    for limit in range(9, 60):
        fitted = PairPrompt(TEMPLATE, tokenizer, limit).fit([pair])
        tokens = tokenizer.convert_ids_to_tokens(fitted.ids[0])
        assert tokens[:2] == ["▁Query", ":"], limit
        assert tokens[-3:] == ["▁Relevant", ":", "</s>"], limit
        assert len(tokens) <= limit


def test_fit_truncates_the_query_last(tokenizer):
    query = "the spider follows links and stores every page"
    frame = len(whole(tokenizer, "", ""))
    words = len(whole(tokenizer, query, "")) - frame
    fitted = PairPrompt(TEMPLATE, tokenizer, frame + words).fit([(query, "bread needs flour")])
    assert fitted.ids == [whole(tokenizer, query, "")]
    assert (fitted.passages_cut, fitted.queries_cut) == (1, 0)
    fitted = PairPrompt(TEMPLATE, tokenizer, frame + 2).fit([(query, "bread needs flour"), ("the", "sea")])
    assert fitted.ids == [whole(tokenizer, "the spider", ""), whole(tokenizer, "the", "sea")]
    assert (fitted.passages_cut, fitted.queries_cut) == (1, 1)


def test_pair_prompt_refuses_a_prompt_that_does_not_fit(tokenizer):
    frame = len(whole(tokenizer, "", ""))
    assert PairPrompt(TEMPLATE, tokenizer, frame).fit([("rain", "the sea")]).ids == [whole(tokenizer, "", "")]
    with pytest.raises(ModelError) as error:
        PairPrompt(TEMPLATE, tokenizer, frame - 1)
    assert str(error.value) == (
        f"max_length: {frame - 1}, but the prompt without query and passage has {frame} tokens; set more than {frame}"
    )


def test_fit_accepts_empty_texts(tokenizer):
    fitted = PairPrompt(TEMPLATE, tokenizer, 64).fit([("", ""), ("rain", "")])
    assert fitted.ids == [whole(tokenizer, "", ""), whole(tokenizer, "rain", "")]
    assert PairPrompt(TEMPLATE, tokenizer, 64).fit([]).ids == []
