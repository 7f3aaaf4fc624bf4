"""What every language model can do, and where the random numbers of a request come from."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Protocol

from synthrank.records import Message, Reply, Request


class Llm(Protocol):
    """A language model behind one of the backends."""

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply a request, in the order of the requests, each as soon as it and all before it are finished.

        Raises:
            ModelError: a request cannot be answered by this model, for example because it is too long.
        """
        ...

    def score(self, pairs: Sequence[tuple[tuple[Message, ...], str]]) -> list[float]:
        """Return, for each (messages, continuation), how likely the continuation is as the reply to the messages.

        The value is the sum of the log-probabilities, in nats, of the continuation's tokens at temperature 1, each
        given the messages and the tokens before it; the end of the reply is not part of it. It is at most 0, falls
        with the continuation's length, and is 0 for an empty one.

        Raises:
            ModelError: a pair is too long for this model.
        """
        ...


def request_seed(seed: int, request: Request) -> int:
    """Return the 64-bit seed of one request's own random numbers.

    It depends on the sampling seed, the messages and the sample number and on nothing else, so that a reply is the
    same whichever other requests are asked with it.
    """
    content = [seed, request.sample, [asdict(message) for message in request.messages]]
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).digest()
    return int.from_bytes(digest[:8], "big")
