"""Special tokens in the texts of others, such as ``[SEP]`` or ``<|im_end|>``, are read as text.

By default, a tokenizer turns the name of a special token in a passage into that token. The passage could then end a
message of a prompt, or split a pair in two.
"""

import re
from collections.abc import Sequence
from typing import Any

from tokenizers import Regex, Tokenizer, pre_tokenizers

from synthrank.errors import ModelError

Parts = Sequence[tuple[str, bool]]
"""Consecutive texts of a prompt, and whether each belongs to the prompt itself; special tokens are read only there."""


def read_as_text(tokenizer: Any, *prefixes: str) -> None:
    """Make a tokenizer read special tokens in a text as text, in place; those that it adds around a text remain.

    The setting is not saved with the tokenizer. A Unigram model, as of T5 and XLM-R, has its special tokens in its
    vocabulary and finds them in any text. Its pre-tokenizer, which is saved, gets a rule that splits their names.

    Args:
        tokenizer: a tokenizer of transformers or of tokenizers.
        prefixes: the texts that the configuration puts before queries and passages.

    Raises:
        ModelError: a prefix has a special token, which would be read as text too.
    """
    names = special_tokens(tokenizer)
    for prefix in prefixes:
        if found := names.search(prefix):
            raise ModelError(
                f"prefix {prefix!r}: {found[0]!r} is a special token of the tokenizer and would be read as text; "
                "expected a prefix without special tokens"
            )
    if isinstance(tokenizer, Tokenizer):
        tokenizer.encode_special_tokens = True
    else:
        tokenizer.split_special_tokens = True
        if tokenizer.is_fast:
            _split_names(tokenizer)


def _split_names(tokenizer: Any) -> None:
    """Split the names of special tokens that the model of a fast tokenizer itself finds in a text."""
    backend = tokenizer.backend_tokenizer
    found = [
        token.content
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.special and number != tokenizer.unk_token_id
        and number in tokenizer(token.content, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    ]  # fmt: skip
    if found:
        names = "|".join(f"{re.escape(name[0])}(?={re.escape(name[1:])})" for name in found)
        rules: list[Any] = [pre_tokenizers.Split(Regex(names), "isolated")]
        rules += [backend.pre_tokenizer] if backend.pre_tokenizer else []
        backend.pre_tokenizer = pre_tokenizers.Sequence(rules)


def special_tokens(tokenizer: Any) -> re.Pattern[str]:
    """Return a pattern of the special tokens of a tokenizer; of two names with the same start, the longer matches."""
    raw = isinstance(tokenizer, Tokenizer)
    added = tokenizer.get_added_tokens_decoder() if raw else tokenizer.added_tokens_decoder
    names = sorted({token.content for token in added.values() if token.special}, key=lambda name: (-len(name), name))
    return re.compile("|".join(map(re.escape, names)) or r"(?!)")


class PromptTokenizer:
    """A fast tokenizer of prompts in which only the words of the prompt itself may be special tokens."""

    def __init__(self, tokenizer: Any) -> None:
        """Initialise from a fast tokenizer of transformers, whose pre-tokenizer may be changed as in `read_as_text`."""
        _split_names(tokenizer)
        self._tokenizer, self._special = tokenizer, special_tokens(tokenizer)
        closed, plain = (tokenizer("a", add_special_tokens=added)["input_ids"] for added in (True, False))
        start = next(at for at in range(len(closed)) if closed[at : at + len(plain)] == plain)
        self._around = closed[:start], closed[start + len(plain) :]

    def encode(self, prompts: Sequence[Parts]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Return the tokens of prompts.

        Args:
            prompts: the parts of each prompt.

        Returns:
            For each prompt its token ids, including those that the tokenizer adds, and the characters of each token as
            (first, character after the last), equal for a special token.
        """
        whole = ["".join(text for text, _ in parts) for parts in prompts]
        if not whole:
            return []
        # With verbose, the tokenizer would warn of every text longer than the model's limit.
        encoded = self._tokenizer(whole, truncation=False, padding=False, return_attention_mask=False, verbose=False)
        return [
            self._encode_runs(parts)
            if any(self._special.search(text) for text, own in parts if not own)
            else (ids, encoded[row].offsets)
            for row, (parts, ids) in enumerate(zip(prompts, encoded["input_ids"], strict=True))
        ]

    def _encode_runs(self, parts: Parts) -> tuple[list[int], list[tuple[int, int]]]:
        """Encode the texts between the special tokens of the prompt itself, as the tokenizer would."""
        before, after = self._around
        ids, offsets, start = list(before), [(0, 0)] * len(before), 0
        for run, is_token in self._runs(parts):
            if is_token:
                ids.append(self._tokenizer.convert_tokens_to_ids(run))
                offsets.append((0, 0))
            else:
                encoded = self._tokenizer(
                    run, add_special_tokens=False, split_special_tokens=True, truncation=False, verbose=False
                )
                ids += encoded["input_ids"]
                offsets += [(begin + start, end + start) for begin, end in encoded[0].offsets]
            start += len(run)
        return ids + after, offsets + [(0, 0)] * len(after)

    def _runs(self, parts: Parts) -> list[tuple[str, bool]]:
        runs, run = [], ""
        for text, own in parts:
            end = 0
            for found in self._special.finditer(text) if own else ():
                runs += [(run + text[end : found.start()], False), (found[0], True)]
                run, end = "", found.end()
            run += text[end:]
        return [(text, is_token) for text, is_token in [*runs, (run, False)] if text]
