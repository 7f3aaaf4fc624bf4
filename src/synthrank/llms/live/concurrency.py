"""Send many requests to a provider concurrently, within its rate limits and with retries."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import NamedTuple

from tenacity import stop_after_attempt

from synthrank.config.llms import Limits
from synthrank.data.records import Request
from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer, Client
from synthrank.llms.live.rate_limit import Gate, Rate, Tokens
from synthrank.llms.live.retry import FIRST_WAIT_S, is_too_long, make_retrying

MOST_NAMES = 10
"""Most queries that an error names."""

HOPELESS = 8
"""Failed requests without an answer in between that end a run: then the reason is not a single prompt."""

log = logging.getLogger(__name__)


class TimedAnswer(NamedTuple):
    """An answer, the number of attempts, and the seconds of the last attempt."""

    request: Request
    answer: Answer
    attempts: int
    latency_s: float


async def ask_all(
    client: Client,
    requests: Iterable[Request],
    limits: Limits,
    *,
    first_wait_s: float = FIRST_WAIT_S,
    earlier: Callable[[Request], int] = lambda _: 0,
    failed: Callable[[Request, TransientError], None] = lambda *_: None,
) -> AsyncGenerator[TimedAnswer, None]:
    """Yield each request with its answer, in the order in which answers arrive.

    Requests are taken from the iterable one at a time, when the limits allow another. A request that fails for good
    does not stop the others; it is named in an error at the end. If all requests would fail, because of the key, the
    account or the server, or if the iterable raises, requests in flight are finished and yielded before the error is
    raised. Closing the generator cancels requests in flight.

    Args:
        client: the provider's client.
        requests: the requests.
        limits: limits of concurrency, rates, attempts and waits.
        first_wait_s: longest wait before the second attempt.
        earlier: returns the attempts of a request in earlier runs, which count towards ``limits.attempts``.
        failed: called after each attempt that failed.

    Raises:
        ProviderError: for some requests, a retry would fail too or the limits allow no other attempt or no longer wait.
    """
    run = _Run(client, iter(requests), limits, first_wait_s, earlier, failed)
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
    if run.failed:
        raise ProviderError(_summary(run.failed))


def _summary(failed: list[tuple[Request, ProviderError]]) -> str:
    """Return the message about failed requests, with the reason of the first one."""
    names = list(dict.fromkeys(request.query_id for request, _ in failed))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    listed, first = ", ".join(names[:MOST_NAMES]), failed[0][1]
    return f"{len(failed)} requests have no answer, of query {listed}{more}; the others are kept; the first: {first}"


class _Run:
    """One call of :func:`ask_all`: workers that share an iterator, rate limits and a queue of answers."""

    def __init__(
        self,
        client: Client,
        requests: Iterator[Request],
        limits: Limits,
        first_wait_s: float,
        earlier: Callable[[Request], int],
        failed: Callable[[Request, TransientError], None],
    ) -> None:
        self._earlier, self._failed = earlier, failed
        # Unbounded, so that a worker with an answer never waits: if it were cancelled then, the answer would be lost.
        self.done: asyncio.Queue[TimedAnswer | None] = asyncio.Queue()
        self.problem: Exception | None = None
        self.failed: list[tuple[Request, ProviderError]] = []
        self._failed_in_row = 0
        self._client, self._requests, self._limits = client, requests, limits
        self._gate = Gate(limits.concurrency, first_wait_s)
        self._rate = Rate(limits.requests_per_minute)
        self._token_rate, self._tokens = Rate(limits.tokens_per_minute), Tokens()
        self._policy = make_retrying(
            limits, many=True, first_wait_s=first_wait_s, may_repeat=lambda: self.problem is None
        )
        self._sending: set[asyncio.Task[None] | None] = set()
        self._workers: list[asyncio.Task[None]] = []
        self._room = asyncio.Event()
        self._room.set()

    def start(self) -> list[asyncio.Task[None]]:
        """Start the workers. When the last one ends, it puts None into the queue."""
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
        """Wake workers after an answer was taken from the queue."""
        if self.done.qsize() < self._limits.concurrency:
            self._room.set()

    async def _work(self) -> None:
        """Send requests until none is left or one ends the run."""
        try:
            while self.problem is None:
                # Answers in the queue are not stored yet; limit their number if the consumer is slow.
                if self.done.qsize() >= self._limits.concurrency:
                    self._room.clear()
                await self._room.wait()
                request = next(self._requests, None)
                if request is None:
                    return
                try:
                    self.done.put_nowait(await self._answered(request))
                    self._failed_in_row = 0
                except ProviderError as error:
                    self._fail(request, error)
        except Exception as error:
            self._stop(error)

    def _fail(self, request: Request, error: ProviderError) -> None:
        """Record a request that failed; raise its error if others would fail too."""
        self.failed.append((request, error))
        self._failed_in_row += 1
        log.warning("query %s: %s", request.query_id, error)
        if not error.of_request or self._failed_in_row >= HOPELESS:
            raise error

    def _stop(self, problem: Exception) -> None:
        """End the run: wait for requests in flight, and cancel the other workers."""
        if self.problem is None:
            self.problem = problem
            for worker in self._workers:
                if worker not in self._sending and worker is not asyncio.current_task():
                    worker.cancel()

    async def _answered(self, request: Request) -> TimedAnswer:
        """Return the answer to one request, with retries within the limits."""
        before = self._earlier(request)
        left = self._limits.attempts - before
        if left <= 0:
            raise ProviderError(
                f"its {before} attempts in earlier runs had no answer and may have been billed; raise limits.attempts "
                "to send it again",
                of_request=True,
            )
        policy = self._policy.copy(stop=stop_after_attempt(left))
        answer: Answer
        latency: float
        try:
            answer, latency = await policy(self._attempt, request)
        except TransientError as error:
            raise self._final(error, before + policy.statistics["attempt_number"]) from None
        return TimedAnswer(request, answer, policy.statistics["attempt_number"], latency)

    async def _attempt(self, request: Request) -> tuple[Answer, float]:
        """Send a request once, when the rate limits allow; return the answer and its seconds."""
        characters = sum(len(message.content) for message in request.messages)
        expected = self._tokens.expected(characters)
        await self._turn(expected)
        started = time.monotonic()
        try:
            answer = await self._send(request)
            self._gate.answered()
        except TransientError as error:
            self._failed(request, error)
            if error.kind == "rate":
                self._gate.too_many(started, error.retry_after)
            raise
        finally:
            self._gate.leave()
        self._token_rate.correct(answer.tokens_in + answer.tokens_out - expected)
        self._tokens.learn(characters, answer.tokens_in, answer.tokens_out)
        return answer, time.monotonic() - started

    async def _turn(self, tokens: float) -> None:
        """Wait for a free place in flight and for the rate limits."""
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
            # A 429 closed the gate while this request waited; wait again.
            self._gate.leave()

    async def _send(self, request: Request) -> Answer:
        """Send a request with a total timeout of ``timeout_s``; the connection's timeout restarts with every byte."""
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
        """Return the error that ends the run after the last retry."""
        if is_too_long(error, self._limits):
            return ProviderError(
                f"{error}; the server requires a wait of {error.retry_after:.0f} s, limits.longest_wait_s is "
                f"{self._limits.longest_wait_s:g}: run again later; all answers so far are kept"
            )
        return ProviderError(
            f"{error}; failed {attempts} times: run again later or raise limits.attempts; all answers so far are kept",
            of_request=True,
        )
