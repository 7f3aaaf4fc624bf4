"""Protocols of language models and of providers' clients, keys of requests, and seeds."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from synthrank.config.llms import LlmSpec
from synthrank.data.records import Message, Reply, Request
from synthrank.data.sampling import draw_seed
from synthrank.errors import ModelError, ProviderError


class Llm(Protocol):
    """A language model behind one of the backends."""

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply per request, in any order, each as soon as it is finished.

        Raises:
            ModelError: the model cannot reply to a request, for example because it is too long.
        """
        ...

    def score(self, pairs: Sequence[tuple[tuple[Message, ...], str]]) -> list[float]:
        """Return, for each (messages, continuation), the log-probability of the continuation as a reply.

        The value is the sum of the log-probabilities, in nats, of the continuation's tokens at temperature 1, each
        given the messages and the tokens before it. The end token does not count. The value is at most 0, falls with
        the continuation's length, and is 0 for an empty continuation.

        Raises:
            ModelError: a pair is too long for this model.
        """
        ...


def gives_no_scores(model: str) -> ModelError:
    """Return the error for a call of ``score`` on a hosted model."""
    return ModelError(
        f"{model}: a hosted model gives no log-probabilities of given texts; use a local model (backend: local), or a "
        "ranking that reads replies: listwise, or setwise or pairwise with answer: text"
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer to one request; the fields are as in :class:`~synthrank.data.records.Reply`.

    If ``counted`` is false, the provider gave no usable token counts, and the counts are 0.
    """

    text: str
    finish_reason: str
    snapshot: str
    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    blocked: str = ""
    thought: str = ""
    tokens_thought: int = 0
    counted: bool = True


@dataclass(frozen=True, slots=True)
class BatchState:
    """State of a batch: running, done, failed, expired or cancelled; ``error`` is the reason of a failure."""

    state: str
    error: str = ""


class Client(Protocol):
    """A provider's interface, live and by batch. Its errors are classified and do not contain the key."""

    async def ask(self, request: Request) -> Answer:
        """Send a request once.

        Raises:
            TransientError: a retry may succeed.
            ProviderError: a retry would fail too.
        """
        ...

    def batch_line(self, key: str, request: Request) -> dict[str, Any]:
        """Return the line of a batch's input file for one request."""
        ...

    def read_line(self, line: Mapping[str, Any]) -> tuple[str, "Answer | ProviderError"]:
        """Return the key of a line of a batch's result file, and its answer or error."""
        ...

    async def submit_batch(self, file: Path, name: str) -> str:
        """Upload a batch's input file and submit it under a name that :meth:`find_batch` finds; return its id."""
        ...

    async def find_batch(self, name: str) -> str | None:
        """Return the id of the batch that was submitted under a name, or None if the provider has no such batch."""
        ...

    async def poll_batch(self, batch_id: str) -> BatchState:
        """Return the state of a batch."""
        ...

    async def download_batch(self, batch_id: str, folder: Path) -> list[Path]:
        """Download a batch's files of answers and of errors, and return their paths."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def request_key(identity: Mapping[str, object], request: Request) -> str:
    """Return a hash of 64 hexadecimal digits that identifies a request to a model.

    Args:
        identity: everything except the request that determines the reply: the model and its sampling settings.
        request: its messages, sample number and schema are hashed; its query is not.
    """
    content: list[object] = [dict(identity), [asdict(message) for message in request.messages], request.sample]
    if request.schema:
        content.append(request.schema)
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def request_seed(seed: int, request: Request) -> int:
    """Return the 64-bit random seed of one request.

    The seed depends only on the sampling seed, the messages and the sample number. A reply is therefore independent of
    the other requests in its batch.
    """
    content = [seed, request.sample, [asdict(message) for message in request.messages]]
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).digest()
    return int.from_bytes(digest[:8], "big")


def reseed(spec: LlmSpec, draw: int) -> LlmSpec:
    """Return the entity with the sampling seed of a draw; for draw 0, the entity itself.

    The seed is part of the key of a stored reply, so each draw is requested and paid for once.
    """
    sampling = spec.sampling.model_copy(update={"seed": draw_seed(spec.sampling.seed, draw)})
    return spec.model_copy(update={"sampling": sampling})
