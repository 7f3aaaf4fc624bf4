"""When a call to a provider is repeated, and after which wait: one policy, live and by batch."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from synthrank.errors import TransientError
from synthrank.specs.llms import Limits

FIRST_WAIT_S = 1.0
"""Longest wait before the second attempt; each later one is twice as long."""

log = logging.getLogger(__name__)
T = TypeVar("T")


def too_long(error: TransientError, limits: Limits) -> bool:
    """Return whether the server asks for a longer wait than the limits allow."""
    return (error.retry_after or 0.0) > limits.longest_wait_s


def retrying(
    limits: Limits, *, many: bool, first_wait_s: float = FIRST_WAIT_S, may_repeat: Callable[[], bool] = lambda: True
) -> AsyncRetrying:
    """Return the policy: repeat a call after a TransientError, up to ``limits.attempts`` attempts.

    A call is not repeated if the server asks for a wait beyond ``limits.longest_wait_s``. Waits double, and up to half
    of each is left to chance.

    Args:
        limits: the model's.
        many: whether many calls are in flight. They wait as long as the server asks, and differ by chance even at the
            longest wait: those that failed together must not come back together. A single call, which no other one
            waits for, takes the longer wait of what the server asks and what doubling gives.
        first_wait_s: longest wait before the second attempt.
        may_repeat: whether calls are repeated at all any more.
    """

    def repeats(error: BaseException) -> bool:
        return isinstance(error, TransientError) and may_repeat() and not too_long(error, limits)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        if asked is not None and many:
            return asked + random.uniform(0, first_wait_s / 2)
        chance, longest = random.uniform(0.5, 1.0), limits.longest_wait_s
        doubled = first_wait_s * 2.0 ** (state.attempt_number - 1) * chance
        return max(asked or 0.0, min(doubled, longest * chance if many else longest))

    return AsyncRetrying(
        retry=retry_if_exception(repeats),
        stop=stop_after_attempt(limits.attempts),
        wait=wait,
        sleep=asyncio.sleep,
        reraise=True,
    )


async def patiently(call: Callable[[], Awaitable[T]], limits: Limits) -> T:
    """Return what a call for a batch returns, repeated after errors that may pass.

    Raises:
        TransientError: the last of ``limits.attempts``, or one that asks for a wait beyond ``limits.longest_wait_s``.
        ProviderError: repeating would not help.
    """

    def tell(state: RetryCallState) -> None:
        log.info("%s; asking again", state.outcome.exception() if state.outcome else "no answer")

    async def called() -> T:
        return await call()

    return await retrying(limits, many=False).copy(before_sleep=tell)(called)
