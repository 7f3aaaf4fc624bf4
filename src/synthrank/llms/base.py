"""What every language model can do, what makes two requests the same, and where their random numbers come from."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from synthrank.errors import ModelError, ProviderError
from synthrank.order import drawn
from synthrank.records import Message, Reply, Request
from synthrank.specs.llms import LlmSpec


class Llm(Protocol):
    """A language model behind one of the backends."""

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply a request, in any order, each as soon as it is finished.

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


def gives_no_scores(model: str) -> ModelError:
    """Return the error of a hosted model that is asked to score."""
    return ModelError(
        f"{model}: a hosted model does not tell how likely a given text is; take a local model (backend: local), or a "
        "ranking that reads what is written: listwise, or setwise or pairwise with answer: text"
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said to one request; the fields are those of :class:`~synthrank.records.Reply`."""

    text: str
    finish_reason: str
    snapshot: str
    tokens_in: int
    tokens_out: int
    tokens_cached: int = 0
    blocked: str = ""


@dataclass(frozen=True, slots=True)
class BatchState:
    """Where a batch stands: running, done, failed, expired or cancelled; ``error`` says why it failed."""

    state: str
    error: str = ""


class Client(Protocol):
    """A provider's interface, live and by batch, with its errors told apart and its key kept out of them."""

    async def ask(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            TransientError: asking again may help.
            ProviderError: it will not.
        """
        ...

    def batch_line(self, key: str, request: Request) -> dict[str, Any]:
        """Return the line of a batch's input file for one request."""
        ...

    def read_line(self, line: Mapping[str, Any]) -> tuple[str, "Answer | ProviderError"]:
        """Return the key of a line of a batch's result file, and what it says: an answer or an error."""
        ...

    async def submit_batch(self, file: Path, name: str) -> str:
        """Upload a batch's input file and submit it under a name that :meth:`find_batch` finds; return its id."""
        ...

    async def find_batch(self, name: str) -> str | None:
        """Return the id of the batch that was submitted under a name, if the provider knows one."""
        ...

    async def poll_batch(self, batch_id: str) -> BatchState:
        """Return where a batch stands."""
        ...

    async def download_batch(self, batch_id: str, folder: Path) -> list[Path]:
        """Download the result files of a batch, of answers and of errors."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def request_key(identity: Mapping[str, object], request: Request) -> str:
    """Return 64 hexadecimal digits that are equal exactly for requests that ask the same.

    Args:
        identity: what the model is and how it samples: everything but the request that determines the answer.
        request: its messages, sample number and schema enter the hash; the query that it is for does not.
    """
    content: list[object] = [dict(identity), [asdict(message) for message in request.messages], request.sample]
    if request.schema:
        content.append(request.schema)
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def request_seed(seed: int, request: Request) -> int:
    """Return the 64-bit seed of one request's own random numbers.

    It depends on the sampling seed, the messages and the sample number and on nothing else, so that a reply is the
    same whichever other requests are asked with it.
    """
    content = [seed, request.sample, [asdict(message) for message in request.messages]]
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).digest()
    return int.from_bytes(digest[:8], "big")


def of_draw(spec: LlmSpec, draw: int) -> LlmSpec:
    """Return the entity with the seed of a draw of its samples; the entity itself for draw 0.

    The seed is part of what the store knows a reply by: each draw is asked, and paid for, once.
    """
    sampling = spec.sampling.model_copy(update={"seed": drawn(spec.sampling.seed, draw)})
    return spec.model_copy(update={"sampling": sampling})
