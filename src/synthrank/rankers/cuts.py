"""How many texts a model does not read to their end."""

from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer

from synthrank.rankers.pair_model import PairModel
from synthrank.rankers.prompt_score import PromptScore
from synthrank.texts import chunks

TEXTS_AT_ONCE = 4096
"""Texts tokenised together: memory stays bounded."""


def pairs_cut(model: PairModel, pairs: Sequence[tuple[str, str]]) -> int:
    """Return how many of the pairs exceed the model's length."""
    first = model[0]
    if isinstance(first, PromptScore):
        return sum(first.prompt.fit(some).passages_cut for some in chunks(pairs, TEXTS_AT_ONCE))
    return sum(
        _longer(model.tokenizer, model.max_seq_length, *map(list, zip(*some, strict=True)))
        for some in chunks(pairs, TEXTS_AT_ONCE)
    )


def texts_cut(tokenizer: Any, max_length: int, texts: Sequence[str]) -> int:
    """Return how many of the texts exceed a length."""
    return sum(_longer(tokenizer, max_length, some) for some in chunks(texts, TEXTS_AT_ONCE))


def _longer(tokenizer: Any, max_length: int, *texts: list[str]) -> int:
    if isinstance(tokenizer, Tokenizer):  # of a static model, told to cut at the length
        (some,) = texts
        return sum(bool(encoding.overflowing) for encoding in tokenizer.encode_batch(some, add_special_tokens=False))
    encoded = tokenizer(*texts, truncation=False, padding=False, return_attention_mask=False, verbose=False)
    return sum(len(row) > max_length for row in encoded["input_ids"])
