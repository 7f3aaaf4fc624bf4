"""The prompt of a query and a passage, as tokens: of what is too long the passage is cut, never what follows it.

The published TWOLAR code cuts the end of the whole prompt, and with it the words that ask for the answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import Formatter

from transformers import BatchEncoding, PreTrainedTokenizerBase

from synthrank.errors import ModelError

Pair = tuple[str, str]
"""Query and passage."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Prompts as token ids, one list a pair, and how many pairs lost an end of their passage or query."""

    ids: list[list[int]]
    passages_cut: int
    queries_cut: int


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A prompt and where its passage and its query stand in it, as (first character, one after the last)."""

    text: str
    query: tuple[int, int]
    passage: tuple[int, int]


class PairPrompt:
    """Renders pairs and makes them fit."""

    def __init__(self, template: str, tokenizer: PreTrainedTokenizerBase, max_length: int) -> None:
        """Take a prompt.

        Args:
            template: the prompt with ``{query}`` and ``{passage}``, each once.
            tokenizer: a fast one: only those tell where in the text a token stands.
            max_length: tokens a prompt may have, the closing one that the tokenizer adds among them.

        Raises:
            ModelError: the prompt does not fit even without query and passage.
        """
        self.template, self.max_length = template, max_length
        self._tokenizer = tokenizer
        self._parts = [(text, field) for text, field, _, _ in Formatter().parse(template)]
        frame = len(self._encode([self._render(("", "")).text])["input_ids"][0])
        if frame > max_length:
            raise ModelError(
                f"max_length is {max_length}, but the prompt has {frame} tokens without query and passage; raise it"
            )

    def fit(self, pairs: Iterable[Pair]) -> Fitted:
        """Return the tokens of each pair's prompt, cut to ``max_length``.

        A prompt that fits is what the tokenizer makes of it whole. Of one that does not, the passage loses its end,
        token by token as the tokenizer sees the whole, and what is left is tokenised anew, until it fits; the query
        follows when no passage is left.
        """
        given = list(pairs)
        now = list(given)
        ids: list[list[int]] = [[] for _ in given]
        waiting = list(range(len(given)))
        while waiting:
            rendered = [self._render(now[place]) for place in waiting]
            encoded = self._encode([item.text for item in rendered])
            long = []
            for row, place in enumerate(waiting):
                ids[place] = encoded["input_ids"][row]
                if (excess := len(ids[place]) - self.max_length) > 0:
                    now[place] = _shorter(now[place], rendered[row], encoded[row].offsets, excess)
                    long.append(place)
            waiting = long
        return Fitted(
            ids,
            passages_cut=sum(old[1] != new[1] for old, new in zip(given, now, strict=True)),
            queries_cut=sum(old[0] != new[0] for old, new in zip(given, now, strict=True)),
        )

    def _encode(self, texts: list[str]) -> BatchEncoding:
        # verbose: the tokenizer would warn of every text that is longer than the model's own limit.
        return self._tokenizer(texts, truncation=False, padding=False, return_attention_mask=False, verbose=False)

    def _render(self, pair: Pair) -> _Rendered:
        values = {"query": pair[0], "passage": pair[1]}
        text, spans = "", dict.fromkeys(values, (0, 0))
        for literal, field in self._parts:
            text += literal
            if field is not None:
                spans[field] = len(text), len(text) + len(values[field])
                text += values[field]
        return _Rendered(text, spans["query"], spans["passage"])


def _shorter(pair: Pair, rendered: _Rendered, offsets: Sequence[tuple[int, int]], excess: int) -> Pair:
    """Return the pair without the last ``excess`` tokens of its passage, or of its query where no passage is left."""
    query, passage = pair
    if passage:
        return query, _without_end(passage, rendered.passage, offsets, excess)
    return _without_end(query, rendered.query, offsets, excess), passage


def _without_end(text: str, span: tuple[int, int], offsets: Sequence[tuple[int, int]], excess: int) -> str:
    """Return a text without its last tokens; it is always shorter than it was.

    Args:
        text: what stands in ``span`` of a prompt.
        span: its place.
        offsets: the place of each token of the prompt; one that stands for no character, as a closing one, is empty.
        excess: how many to take off.
    """
    begins = [begin for begin, end in offsets if span[0] <= begin < span[1] and begin < end]
    if len(begins) <= excess:
        return ""
    return text[: begins[-excess] - span[0]].rstrip()
