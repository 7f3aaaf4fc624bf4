"""Retry policy of calls to a provider, live and by batch."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from synthrank.config.llms import Limits
from synthrank.errors import TransientError

FIRST_WAIT_S = 1.0
"""Longest wait before the second attempt; each later one is twice as long."""

log = logging.getLogger(__name__)
T = TypeVar("T")


def is_too_long(error: TransientError, limits: Limits) -> bool:
    """Return whether the server requires a longer wait than the limits allow."""
    return (error.retry_after or 0.0) > limits.longest_wait_s


def make_retrying(
    limits: Limits, *, many: bool, first_wait_s: float = FIRST_WAIT_S, may_repeat: Callable[[], bool] = lambda: True
) -> AsyncRetrying:
    """Return a policy that repeats a call after a TransientError, up to ``limits.attempts`` attempts.

    A call is not repeated if the server requires a wait beyond ``limits.longest_wait_s``. Waits double with each
    attempt, and up to half of each wait is random.

    Args:
        limits: the model's limits.
        many: whether many calls are in flight. If so, they wait as long as the server states plus a random time, and
            the longest wait is random too, so that calls that failed together are not repeated together. A single call
            takes the longer of the server's wait and the doubled wait.
        first_wait_s: longest wait before the second attempt.
        may_repeat: returns whether calls may still be repeated.
    """

    def repeats(error: BaseException) -> bool:
        return isinstance(error, TransientError) and may_repeat() and not is_too_long(error, limits)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        required = error.retry_after if isinstance(error, TransientError) else None
        if required is not None and many:
            return required + random.uniform(0, first_wait_s / 2)
        chance, longest = random.uniform(0.5, 1.0), limits.longest_wait_s
        doubled = first_wait_s * 2.0 ** (state.attempt_number - 1) * chance
        return max(required or 0.0, min(doubled, longest * chance if many else longest))

    return AsyncRetrying(
        retry=retry_if_exception(repeats),
        stop=stop_after_attempt(limits.attempts),
        wait=wait,
        sleep=asyncio.sleep,
        reraise=True,
    )


async def call_with_retries(call: Callable[[], Awaitable[T]], limits: Limits) -> T:
    """Return the result of a call for a batch, with retries after a TransientError.

    Raises:
        TransientError: the last of ``limits.attempts`` failed, or the server requires a wait beyond
            ``limits.longest_wait_s``.
        ProviderError: a retry would fail too.
    """

    def log_retry(state: RetryCallState) -> None:
        log.info("%s; retrying", state.outcome.exception() if state.outcome else "no answer")

    async def called() -> T:
        return await call()

    return await make_retrying(limits, many=False).copy(before_sleep=log_retry)(called)
