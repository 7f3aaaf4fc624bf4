"""How a call that may succeed later is repeated."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from synthrank.errors import TransientError
from synthrank.specs.llms import Limits

FIRST_WAIT_S = 1.0
"""Before a call is repeated; doubled each time, and up to half of it left to chance."""

log = logging.getLogger(__name__)
T = TypeVar("T")


async def patiently(call: Callable[[], Awaitable[T]], limits: Limits) -> T:
    """Return what a call returns, repeating it after errors that may pass.

    Raises:
        TransientError: the last of ``limits.attempts``, or one that asks for a wait beyond ``limits.longest_wait_s``.
        ProviderError: repeating would not help.
    """
    for attempt in range(1, limits.attempts + 1):
        try:
            return await call()
        except TransientError as error:
            asked = error.retry_after or 0.0
            if attempt == limits.attempts or asked > limits.longest_wait_s:
                raise
            wait = FIRST_WAIT_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
            log.info("%s; asking again", error)
            await asyncio.sleep(max(asked, min(wait, limits.longest_wait_s)))
    raise AssertionError("a model's limits allow at least one attempt")
