"""Tokens of the prompt of a query and a passage. If the prompt is too long, the passage is truncated.

The published TWOLAR code truncates the end of the prompt, including the words after the passage.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import Formatter

from transformers import PreTrainedTokenizerBase

from synthrank.errors import ModelError
from synthrank.runtime.special_tokens import Parts, PromptTokenizer

TextPair = tuple[str, str]
"""Query and passage."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Token ids of the prompts, one list per pair, and the number of truncated passages and queries."""

    ids: list[list[int]]
    passages_cut: int
    queries_cut: int


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A prompt, and the places of query and passage in it as (first character, character after the last)."""

    parts: Parts
    query: tuple[int, int]
    passage: tuple[int, int]


class PairPrompt:
    """Render pairs as prompts and truncate them."""

    def __init__(self, template: str, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
        """Initialise from a template.

        Args:
            template: the prompt with ``{query}`` and ``{passage}``, each once.
            tokenizer: a fast tokenizer, which provides the offsets of tokens.
            max_length: maximum number of tokens of a prompt, including the final token that the tokenizer adds.

        Raises:
            ModelError: the prompt without query and passage exceeds ``max_length``.
        """
        self.template, self.max_length = template, max_length
        self._tokenizer = PromptTokenizer(tokenizer)
        self._parts = [(text, field) for text, field, _, _ in Formatter().parse(template)]
        frame = len(self._tokenizer.encode([self._render(("", "")).parts])[0][0])
        if frame > max_length:
            raise ModelError(
                f"max_length: {max_length}, but the prompt without query and passage has {frame} tokens; set more than "
                f"{frame}"
            )

    def fit(self, pairs: Iterable[TextPair]) -> Fitted:
        """Return the tokens of each pair's prompt, at most ``max_length``.

        If a prompt is too long, the excess tokens are removed from the end of the passage and the prompt is tokenised
        again, until it fits. If no passage is left, the query is truncated in the same way.
        """
        given = list(pairs)
        now = list(given)
        ids: list[list[int]] = [[] for _ in given]
        waiting = list(range(len(given)))
        while waiting:
            rendered = [self._render(now[place]) for place in waiting]
            encoded = self._tokenizer.encode([item.parts for item in rendered])
            long = []
            for place, item, (tokens, offsets) in zip(waiting, rendered, encoded, strict=True):
                ids[place] = tokens
                if (excess := len(tokens) - self.max_length) > 0:
                    now[place] = _shorten(now[place], item, offsets, excess)
                    long.append(place)
            waiting = long
        return Fitted(
            ids,
            passages_cut=sum(old[1] != new[1] for old, new in zip(given, now, strict=True)),
            queries_cut=sum(old[0] != new[0] for old, new in zip(given, now, strict=True)),
        )

    def _render(self, pair: TextPair) -> _Rendered:
        values = {"query": pair[0], "passage": pair[1]}
        parts, spans, length = [], dict.fromkeys(values, (0, 0)), 0
        for literal, field in self._parts:
            parts.append((literal, True))
            length += len(literal)
            if field is not None:
                parts.append((values[field], False))
                spans[field] = length, length + len(values[field])
                length += len(values[field])
        return _Rendered(parts, spans["query"], spans["passage"])


def _shorten(pair: TextPair, rendered: _Rendered, offsets: Sequence[tuple[int, int]], excess: int) -> TextPair:
    """Return the pair without the last ``excess`` tokens of its passage, or of its query if no passage is left."""
    query, passage = pair
    if passage:
        return query, _drop_end(passage, rendered.passage, offsets, excess)
    return _drop_end(query, rendered.query, offsets, excess), passage


def _drop_end(text: str, span: tuple[int, int], offsets: Sequence[tuple[int, int]], excess: int) -> str:
    """Return a text without its last tokens; the result is always shorter than the text.

    Args:
        text: the text at ``span`` of a prompt.
        span: first character, and character after the last.
        offsets: the span of each token of the prompt; empty for a special token, which has no characters.
        excess: the number of tokens to remove.
    """
    begins = [begin for begin, end in offsets if span[0] <= begin < span[1] and begin < end]
    if len(begins) <= excess:
        return ""
    return text[: begins[-excess] - span[0]].rstrip()
