"""A hosted model as a backend: live or by batch, with what each reply took."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from synthrank.errors import ProviderError
from synthrank.llms.base import Answer, Client, gives_no_scores, request_key
from synthrank.llms.live import Asked, ask_all
from synthrank.llms.pricing import price_usd
from synthrank.records import Message, Reply, Request
from synthrank.specs.llms import HostedLlm


def open_client(spec: HostedLlm) -> Client:
    """Return the client of a hosted model, with the key that the environment holds.

    Raises:
        ProviderError: there is no key, or it cannot be one.
    """
    name = f"{spec.model}: environment variable {spec.key_variable}"
    key = os.environ.get(spec.key_variable, "").strip()
    if not key:
        raise ProviderError(
            f"{name} is not set; export it, or take an LLM of config/llms that needs no key "
            "(a server that asks for none takes any value)"
        )
    # Anything else would fail inside the SDK, in an error that shows the header.
    if not all(33 <= ord(character) <= 126 for character in key):
        raise ProviderError(f"{name} holds characters that a key cannot have; export the key alone")
    if spec.backend == "openai":
        from synthrank.llms.openai_client import OpenAiClient

        return OpenAiClient(spec, key)
    from synthrank.llms.gemini_client import GeminiClient

    return GeminiClient(spec, key)


def _sampling(spec: HostedLlm) -> dict[str, float | int | str | None]:
    """Return the settings that choose the tokens."""
    settings = spec.sampling.model_dump()
    return settings if spec.backend == "openai" else {**settings, "thinking_budget": spec.thinking_budget}


def identity(spec: HostedLlm) -> dict[str, object]:
    """Return everything in an entity that determines an answer, for :func:`~synthrank.llms.base.request_key`.

    How it is asked (mode, limits, address, key) and what it costs are not part of it, so that a reply is found
    again however it came.
    """
    return {"backend": spec.backend, "model": spec.model, "sampling": _sampling(spec)}


Guard = Callable[[Mapping[str, Request]], Iterable[Request]]
Check = Callable[[Mapping[str, Request]], None]


class Hosted:
    """The :class:`~synthrank.llms.base.Llm` over a provider's client. It stores nothing."""

    def __init__(
        self,
        spec: HostedLlm,
        client: Client,
        folder: Path,
        *,
        guard: Guard | None = None,
        check: Check | None = None,
        reserve: Check | None = None,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            spec: the entity.
            client: whom to ask.
            folder: of the journal of batches.
            guard: is given all requests by key and yields those that may be asked, each when there is room for it.
            check: is given the requests of a batch before it is submitted, and raises where they may not be.
            reserve: is given the requests of batches that are open already.
        """
        self._spec, self._client, self._folder = spec, client, folder
        self._guard, self._check, self._reserve = guard, check, reserve
        self._identity, self._sampling = identity(spec), _sampling(spec)

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply a request as they finish; see :class:`~synthrank.llms.base.Llm`.

        Requests that ask the same are asked once, and their replies share what it took. Closing the generator drops
        what is in flight and closes all connections.

        Raises:
            ProviderError: the provider will not answer; what it did answer was yielded before.
        """
        same: dict[str, list[Request]] = {}
        for request in requests:
            same.setdefault(request_key(self._identity, request), []).append(request)
        first = {key: group[0] for key, group in same.items()}
        with closing(self._by_batch(first) if self._spec.mode == "batch" else self._live(first)) as replies:
            for key, reply in replies:
                yield reply
                for twin in same[key][1:]:
                    yield replace(reply, query_id=twin.query_id, query=twin.query, price_usd=0.0)

    def score(self, pairs: Sequence[tuple[tuple[Message, ...], str]]) -> list[float]:
        """Raise ModelError: see :class:`~synthrank.llms.base.Llm`."""
        raise gives_no_scores(self._spec.model)

    def _live(self, requests: Mapping[str, Request]) -> Generator[tuple[str, Reply], None, None]:
        # The loop runs only while the next answer is waited for: a reply is stored before another one is taken.
        with asyncio.Runner() as runner:
            allowed = self._guard(requests) if self._guard else requests.values()
            answers = ask_all(self._client, allowed, self._spec.limits)
            try:
                while (asked := runner.run(_next(answers))) is not None:
                    key = request_key(self._identity, asked.request)
                    reply = self._reply(key, asked.request, asked.answer, "live")
                    yield key, replace(reply, attempts=asked.attempts, latency_s=round(asked.latency_s, 3))
            finally:
                runner.run(self._ended(answers))

    async def _ended(self, answers: AsyncGenerator[Asked, None]) -> None:
        try:
            await answers.aclose()
        finally:
            await self._client.close()

    def _by_batch(self, requests: Mapping[str, Request]) -> Generator[tuple[str, Reply], None, None]:
        from synthrank.llms.batch import run_batches

        items = run_batches(self._client, self._spec, requests, self._folder, self._check, self._reserve)
        for key, request, answer in items:
            yield key, self._reply(key, request, answer, "batch")

    def _reply(self, key: str, request: Request, answer: Answer, mode: str) -> Reply:
        return Reply(
            query_id=request.query_id,
            query=request.query,
            sample=request.sample,
            text=answer.text,
            finish_reason=answer.finish_reason,
            tokens_in=answer.tokens_in,
            tokens_out=answer.tokens_out,
            model=self._spec.model,
            sampling=self._sampling,
            messages=request.messages,
            key=key,
            snapshot=answer.snapshot,
            tokens_cached=answer.tokens_cached,
            blocked=answer.blocked,
            price_usd=price_usd(self._spec.price, answer, mode),
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            mode=mode,
        )


async def _next(answers: AsyncGenerator[Asked, None]) -> Asked | None:
    return await anext(answers, None)
