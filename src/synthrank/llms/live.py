"""Ask a provider many requests at once: bounded, at its pace, each again while that may help."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import NamedTuple

from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer, Client
from synthrank.llms.pace import Gate, Rate, Tokens
from synthrank.llms.retry import FIRST_WAIT_S, retrying, too_long
from synthrank.records import Request
from synthrank.specs.llms import Limits


class Asked(NamedTuple):
    """An answer, how often it was asked for, and the seconds that the last of these took."""

    request: Request
    answer: Answer
    attempts: int
    latency_s: float


async def ask_all(
    client: Client, requests: Iterable[Request], limits: Limits, *, first_wait_s: float = FIRST_WAIT_S
) -> AsyncGenerator[Asked, None]:
    """Yield each request with its answer as it comes, in any order.

    Requests are taken from the iterable one by one when there is room for them. Where one cannot be answered, or the
    iterable itself raises, what is in flight is finished and yielded before the error is raised. Closing the
    generator drops what is in flight.

    Args:
        client: whom to ask.
        requests: what to ask.
        limits: how hard.
        first_wait_s: longest wait before the second attempt.

    Raises:
        ProviderError: asking will not help, or was tried as often, or would take as long, as the limits allow.
    """
    run = _Run(client, iter(requests), limits, first_wait_s)
    workers = run.start()
    try:
        while (asked := await run.done.get()) is not None:
            run.taken()
            yield asked
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    if run.problem is not None:
        raise run.problem


class _Run:
    """One call of :func:`ask_all`: workers that share an iterator, a pace and a queue of answers."""

    def __init__(self, client: Client, requests: Iterator[Request], limits: Limits, first_wait_s: float) -> None:
        # Unbounded, so that a worker with an answer in hand never waits: it could be cancelled there and lose it.
        self.done: asyncio.Queue[Asked | None] = asyncio.Queue()
        self.problem: Exception | None = None
        self._client, self._requests, self._limits = client, requests, limits
        self._gate = Gate(limits.concurrency, first_wait_s)
        self._rate = Rate(limits.requests_per_minute)
        self._token_rate, self._tokens = Rate(limits.tokens_per_minute), Tokens()
        self._policy = retrying(limits, many=True, first_wait_s=first_wait_s, may_repeat=lambda: self.problem is None)
        self._sending: set[asyncio.Task[None] | None] = set()
        self._workers: list[asyncio.Task[None]] = []
        self._room = asyncio.Event()
        self._room.set()

    def start(self) -> list[asyncio.Task[None]]:
        """Start the workers; the queue ends when the last of them has."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._limits.concurrency)]
        left = len(self._workers)

        def ended(_: object) -> None:
            nonlocal left
            left -= 1
            if not left:
                self.done.put_nowait(None)

        for worker in self._workers:
            worker.add_done_callback(ended)
        return self._workers

    def taken(self) -> None:
        """Let workers go on: an answer was taken."""
        if self.done.qsize() < self._limits.concurrency:
            self._room.set()

    async def _work(self) -> None:
        """Ask requests until there are no more or one of them ends the run."""
        try:
            while self.problem is None:
                # What nobody has taken yet is not safe yet; a slow taker must not let it pile up.
                if self.done.qsize() >= self._limits.concurrency:
                    self._room.clear()
                await self._room.wait()
                request = next(self._requests, None)
                if request is None:
                    return
                self.done.put_nowait(await self._answered(request))
        except Exception as error:
            self._stop(error)

    def _stop(self, problem: Exception) -> None:
        """End the run: wait for requests in flight, and cancel the other workers."""
        if self.problem is None:
            self.problem = problem
            for worker in self._workers:
                if worker not in self._sending and worker is not asyncio.current_task():
                    worker.cancel()

    async def _answered(self, request: Request) -> Asked:
        """Return the answer to one request, asked as often as the limits allow."""
        policy = self._policy.copy()
        answer: Answer
        latency: float
        try:
            answer, latency = await policy(self._attempt, request)
        except TransientError as error:
            raise self._final(error, policy.statistics["attempt_number"]) from None
        return Asked(request, answer, policy.statistics["attempt_number"], latency)

    async def _attempt(self, request: Request) -> tuple[Answer, float]:
        """Ask once, when it is this request's turn; return the answer and its seconds."""
        characters = sum(len(message.content) for message in request.messages)
        expected = self._tokens.expected(characters)
        await self._turn(expected)
        started = time.monotonic()
        try:
            answer = await self._send(request)
            self._gate.answered()
        except TransientError as error:
            if error.kind == "rate":
                self._gate.too_many(started, error.retry_after)
            raise
        finally:
            self._gate.leave()
        self._token_rate.correct(answer.tokens_in + answer.tokens_out - expected)
        self._tokens.learn(characters, answer.tokens_in, answer.tokens_out)
        return answer, time.monotonic() - started

    async def _turn(self, tokens: float) -> None:
        """Take a place among those in flight, at the rates that are allowed."""
        while True:
            await self._gate.enter()
            try:
                await self._rate.take()
                await self._token_rate.take(tokens)
            except asyncio.CancelledError:
                self._gate.leave()
                raise
            if not self._gate.closed:
                return
            # A 429 came while this one waited for its moment: the moment has passed, it takes another.
            self._gate.leave()

    async def _send(self, request: Request) -> Answer:
        """Ask, for ``timeout_s`` at most: the connection's own limit starts anew with every byte."""
        worker, limit = asyncio.current_task(), self._limits.timeout_s
        self._sending.add(worker)
        try:
            async with asyncio.timeout(limit):
                return await self._client.ask(request)
        except TimeoutError:
            raise TransientError(f"no answer in {limit:g} s (limits.timeout_s)", "timeout") from None
        finally:
            self._sending.discard(worker)

    def _final(self, error: TransientError, attempts: int) -> ProviderError:
        """Return the error that ends the run after one that might have passed."""
        if too_long(error, self._limits):
            return ProviderError(
                f"{error}; the server asks to wait {error.retry_after:.0f} s, and limits.longest_wait_s is "
                f"{self._limits.longest_wait_s:g}: run again later, every answer so far is kept"
            )
        return ProviderError(
            f"{error}; asked {attempts} times: run again later or raise limits.attempts, every answer so far is kept"
        )
