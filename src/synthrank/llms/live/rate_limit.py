"""Limits on requests in flight, and on requests and tokens per minute."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

BURST_S = 0.1
"""Seconds of delay that are caught up immediately if the process was late."""

MINUTE_S = 60.0 + BURST_S

GROWTH = 2.0
"""Places in flight that a round of answers adds."""

MOST_DOUBLINGS = 8
"""Most doublings of the wait after a 429 without ``Retry-After``: with a first wait of 1 s it ends at 16 s."""


class Rate:
    """Rate limit per minute, evenly spread: no interval of 60 seconds exceeds it.

    Each call takes the next free time of a schedule and sleeps until then (the generic cell rate algorithm), so calls
    do not poll and keep their order. aiolimiter's leaky bucket would allow the amount of a whole minute in one burst,
    and so up to twice the limit in the first minute. It also cannot correct an amount later, as tokens require.
    """

    def __init__(self, per_minute: float | None, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._seconds = MINUTE_S / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._free = float("-inf")

    async def take(self, amount: float = 1.0) -> None:
        """Wait until the limit allows the amount."""
        if not self._seconds:
            return
        now = self._clock()
        start = max(self._free, now - BURST_S)
        self._free = start + amount * self._seconds
        if start > now:
            await self._sleep(start - now)

    def correct(self, amount: float) -> None:
        """Add an amount to the last one taken, or return it if it is negative."""
        self._free += amount * self._seconds


class Tokens:
    """Estimates a request's tokens from the mean tokens per prompt character and per reply so far."""

    def __init__(self, reply: float = 256.0, prompt: float = 4000.0, characters: float = 16_000.0) -> None:
        """Start from 4 characters per token and 256 tokens per reply, with the weight of four answers."""
        self._prompt, self._characters = prompt, characters
        self._replies, self._answers = reply * 4, 4.0

    def expected(self, characters: int) -> float:
        """Return the expected tokens of a prompt with this number of characters and of its reply."""
        return characters * self._prompt / self._characters + self._replies / self._answers

    def learn(self, characters: int, tokens_in: int, tokens_out: int) -> None:
        """Add the tokens of an answer to the means."""
        self._prompt += tokens_in
        self._characters += characters
        self._replies += tokens_out
        self._answers += 1


class Gate:
    """Limits the requests in flight: up to ``most``, fewer after "too many requests" (429).

    Each 429 removes half a place. Each answer adds a fraction, so that a full round of answers adds ``GROWTH`` places.
    A round of 429s therefore halves the limit, and a round with 5 % of 429s barely lowers it (Alizadeh et al., DCTCP,
    2010). Halving at every 429, as TCP does, would keep 5 of 128 places at that rate. A 429 also stops all requests for
    the time that the server states, or for a short time that doubles with every round of 429s.
    """

    def __init__(self, most: int, first_wait_s: float = 1.0, clock: Clock = time.monotonic) -> None:
        self.most = most
        self.allowed = float(most)
        self.in_flight = 0
        self._first_wait_s, self._clock = first_wait_s, clock
        self._opens = self._slowed = float("-inf")
        self._refused = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def closed(self) -> bool:
        """Whether all requests wait because of a 429."""
        return self._clock() < self._opens

    async def enter(self) -> None:
        """Wait for a place; :meth:`leave` frees it."""
        while self.closed or self.in_flight >= int(self.allowed):
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            await place
        self.in_flight += 1

    def leave(self) -> None:
        """Free a place."""
        self.in_flight -= 1
        self._wake()

    def answered(self) -> None:
        """Raise the limit slightly after an answer."""
        self._refused = 0
        self.allowed = min(float(self.most), self.allowed + GROWTH / self.allowed)

    def too_many(self, sent: float, wait: float | None) -> None:
        """Lower the limit after a 429, and close the gate for a while.

        Args:
            sent: time at which the refused request was sent; requests sent together double the wait once.
            wait: seconds to wait that the server states, or None.
        """
        now = self._clock()
        self.allowed = max(1.0, self.allowed - 0.5)
        if sent >= self._slowed:
            self._slowed, self._refused = now, min(self._refused + 1, MOST_DOUBLINGS)
        if wait is None:
            wait = self._first_wait_s / 16 * 2**self._refused
        self._opens = max(self._opens, now + wait)
        asyncio.get_running_loop().call_later(wait + 0.001, self._wake)

    def _wake(self) -> None:
        if self.closed:
            return
        free = int(self.allowed) - self.in_flight
        while self._waiting and free > 0:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1
