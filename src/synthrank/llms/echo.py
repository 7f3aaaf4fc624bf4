"""A backend without a model: its replies repeat words of the request."""

import math
import random
from collections.abc import Iterator, Sequence

from synthrank.config.llms import EchoLlm
from synthrank.data.records import Message, Reply, Request
from synthrank.data.words import words_of
from synthrank.llms.base import request_seed

SENTENCE = 12

_KNOWN = math.log(0.1)
_UNKNOWN = math.log(0.001)


class Echo:
    """Deterministic replies in sentences of twelve words, for tests and dry looks at a workflow in seconds.

    Each sentence is on a separate line, so that a reply can be read as a passage or as several queries. A reply starts
    with the words of the query and continues with words of the last user message, in an order that depends only on the
    request. A token is a word.
    """

    def __init__(self, spec: EchoLlm) -> None:
        self._sampling, self._words = spec.sampling, spec.words

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply per request; see :class:`~synthrank.llms.base.Llm`."""
        for request in requests:
            words = self._passage(request)
            kept = words[: self._sampling.max_new_tokens]
            sentences = [kept[start : start + SENTENCE] for start in range(0, len(kept), SENTENCE)]
            yield Reply(
                query_id=request.query_id,
                query=request.query,
                sample=request.sample,
                text="\n".join(" ".join(sentence).capitalize() + "." for sentence in sentences),
                finish_reason="stop" if len(kept) == len(words) else "length",
                tokens_in=sum(len(words_of(message.content)) for message in request.messages),
                tokens_out=len(kept),
                model="echo",
                sampling=self._sampling.model_dump(),
                messages=request.messages,
            )

    def score(self, pairs: Sequence[tuple[tuple[Message, ...], str]]) -> list[float]:
        """Return log-probabilities of a model that expects the prompt's words; see :class:`~synthrank.llms.base.Llm`.

        A word of the continuation has probability 0.1 if the messages contain it and 0.001 otherwise.
        """
        scores = []
        for messages, continuation in pairs:
            seen = {word for message in messages for word in words_of(message.content)}
            scores.append(sum((_KNOWN if word in seen else _UNKNOWN for word in words_of(continuation)), 0.0))
        return scores

    def _passage(self, request: Request) -> list[str]:
        """Return ``words`` words: each word of the query once, shuffled, then random words of the last user message."""
        numbers = random.Random(request_seed(self._sampling.seed, request))
        asked = next((message.content for message in reversed(request.messages) if message.role == "user"), "")
        query = words_of(request.query)[: self._words]
        numbers.shuffle(query)
        pool = words_of(asked) or query or ["nothing"]
        return query + numbers.choices(pool, k=self._words - len(query))
