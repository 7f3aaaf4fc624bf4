"""The backend of hosted models, live or by batch, with tokens, price and time of each reply."""

import asyncio
import math
import os
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from synthrank.config.llms import HostedLlm
from synthrank.data.records import Message, Reply, Request
from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer, Client, gives_no_scores, request_key
from synthrank.llms.live.concurrency import TimedAnswer, ask_all
from synthrank.llms.store.attempts import Attempts
from synthrank.llms.store.budget import Budget
from synthrank.llms.store.pricing import CHARACTERS_PER_TOKEN, most_usd, price_usd, prompt_tokens


def open_client(spec: HostedLlm) -> Client:
    """Return the client of a hosted model, with the key from the environment.

    Raises:
        ProviderError: the key is not set or invalid.
    """
    name = f"{spec.model}: environment variable {spec.key_variable}"
    key = os.environ.get(spec.key_variable, "").strip()
    if not key:
        raise ProviderError(
            f"{name} is not set; run: export {spec.key_variable}=YOUR_KEY "
            "(for a server without authentication, any value)"
        )
    # Otherwise the SDK fails with an error that shows the header and the key.
    if not all(33 <= ord(character) <= 126 for character in key):
        raise ProviderError(f"{name} contains characters that no API key has; export only the key")
    if spec.backend == "openai":
        from synthrank.llms.openai_client import OpenAiClient

        return OpenAiClient(spec, key)
    from synthrank.llms.gemini_client import GeminiClient

    return GeminiClient(spec, key)


def _sampling(spec: HostedLlm) -> dict[str, float | int | str | None]:
    """Return the sampling settings."""
    settings = spec.sampling.model_dump()
    return settings if spec.backend == "openai" else {**settings, "thinking_budget": spec.thinking_budget}


def identity(spec: HostedLlm) -> dict[str, object]:
    """Return everything in an entity that determines an answer, for :func:`~synthrank.llms.base.request_key`.

    Mode, limits, key and price are not part of it, so that they do not change which stored reply is found. Servers may
    give the same name to different models, so the address is part of it, except on a maker's own server.
    """
    found: dict[str, object] = {"backend": spec.backend, "model": spec.model, "sampling": _sampling(spec)}
    return found if spec.server is None else {**found, "server": spec.server}


class Hosted:
    """An :class:`~synthrank.llms.base.Llm` on top of a provider's client. It does not store replies."""

    def __init__(self, spec: HostedLlm, client: Client, folder: Path, budget: Budget | None = None) -> None:
        """Prepare without sending a request.

        Args:
            spec: the entity.
            client: the provider's client.
            folder: folder of the journal of batches and of the failed attempts.
            budget: limits what is sent; None for no limit.
        """
        self._spec, self._client, self._folder = spec, client, folder
        self._budget = budget
        self._identity, self._sampling = identity(spec), _sampling(spec)

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply per request as they finish; see :class:`~synthrank.llms.base.Llm`.

        Equal requests are sent once, and only the first reply has a price. Closing the generator cancels requests in
        flight and closes all connections.

        Raises:
            ProviderError: the provider does not answer; raised after all answers were yielded.
        """
        same: dict[str, list[Request]] = {}
        for request in requests:
            same.setdefault(request_key(self._identity, request), []).append(request)
        first = {key: group[0] for key, group in same.items()}
        with closing(self._ask_by_batch(first) if self._spec.mode == "batch" else self._ask_live(first)) as replies:
            for key, reply in replies:
                yield reply
                for equal in same[key][1:]:
                    yield replace(reply, query_id=equal.query_id, query=equal.query, price_usd=0.0)

    def score(self, pairs: Sequence[tuple[tuple[Message, ...], str]]) -> list[float]:
        """Raise ModelError: see :class:`~synthrank.llms.base.Llm`."""
        raise gives_no_scores(self._spec.model)

    def _ask_live(self, requests: Mapping[str, Request]) -> Generator[tuple[str, Reply], None, None]:
        # The loop runs only while waiting for the next answer: the caller stores a reply before it takes another.
        with asyncio.Runner() as runner:
            allowed = self._budget.guard(requests) if self._budget else requests.values()
            attempts = Attempts(self._folder)
            answers = ask_all(
                self._client,
                allowed,
                self._spec.limits,
                earlier=lambda request: attempts.earlier(request_key(self._identity, request)),
                failed=lambda request, error: self._lose(attempts, request, error),
            )
            try:
                while (asked := runner.run(_next(answers))) is not None:
                    key = request_key(self._identity, asked.request)
                    reply = self._make_reply(key, asked.request, asked.answer, "live")
                    yield key, replace(reply, attempts=asked.attempts, latency_s=round(asked.latency_s, 3))
            finally:
                runner.run(self._close_loop(answers))

    def _lose(self, attempts: Attempts, request: Request, error: TransientError) -> None:
        """Record a failed attempt at its highest price."""
        key = request_key(self._identity, request)
        attempts.add(key, error, most_usd(self._spec, request))
        if self._budget and error.may_be_billed:
            self._budget.failed(key)

    async def _close_loop(self, answers: AsyncGenerator[TimedAnswer, None]) -> None:
        try:
            await answers.aclose()
        finally:
            await self._client.close()

    def _ask_by_batch(self, requests: Mapping[str, Request]) -> Generator[tuple[str, Reply], None, None]:
        from synthrank.llms.batch.engine import run_batches

        limits = (self._budget.check, self._budget.reserve) if self._budget else ()
        items = run_batches(self._client, self._spec, requests, self._folder, *limits)
        for key, request, answer in items:
            yield key, self._make_reply(key, request, answer, "batch")

    def _make_reply(self, key: str, request: Request, answer: Answer, mode: str) -> Reply:
        if not answer.counted:
            written = math.ceil(len(answer.text + answer.thought) / CHARACTERS_PER_TOKEN)
            answer = replace(answer, tokens_in=prompt_tokens(request), tokens_out=written, tokens_cached=0)
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
            thought=answer.thought,
            tokens_thought=answer.tokens_thought,
            tokens_estimated=not answer.counted,
        )


async def _next(answers: AsyncGenerator[TimedAnswer, None]) -> TimedAnswer | None:
    return await anext(answers, None)
