"""How fast a provider is asked: what may be in flight, and requests and tokens a minute."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

BURST_S = 0.1
"""How much of the lost time is caught up at once when the process was late."""

MINUTE_S = 60.0 + BURST_S

GROWTH = 2.0
"""Places that a round of answers adds."""

MOST_DOUBLINGS = 8
"""Of the pause after a 429 that names none: with a first wait of 1 s it ends at 16 s."""


class Rate:
    """So much a minute, evenly: in no 60 seconds is more let through.

    Each call takes the next free moment of a schedule and sleeps until it comes (the generic cell rate algorithm), so
    that nothing polls and nobody overtakes. aiolimiter's bucket lets the whole minute's amount through at once, and
    with what leaks meanwhile twice the limit in the first minute; and it takes nothing back, which tokens need.
    """

    def __init__(self, per_minute: float | None, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._seconds = MINUTE_S / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._free = float("-inf")

    async def take(self, amount: float = 1.0) -> None:
        """Wait until the amount may go."""
        if not self._seconds:
            return
        now = self._clock()
        start = max(self._free, now - BURST_S)
        self._free = start + amount * self._seconds
        if start > now:
            await self._sleep(start - now)

    def correct(self, amount: float) -> None:
        """Take so much more, after the fact, or give it back where it is negative."""
        self._free += amount * self._seconds


class Tokens:
    """What a request will take, in tokens of prompt and reply: the mean of what was seen, by character and reply."""

    def __init__(self, reply: float = 256.0, prompt: float = 4000.0, characters: float = 16_000.0) -> None:
        """Start from 4 characters a token and 256 tokens a reply, weighing as much as a handful of answers."""
        self._prompt, self._characters = prompt, characters
        self._replies, self._answers = reply * 4, 4.0

    def expected(self, characters: int) -> float:
        """Return the tokens to expect for a prompt of so many characters and its reply."""
        return characters * self._prompt / self._characters + self._replies / self._answers

    def learn(self, characters: int, tokens_in: int, tokens_out: int) -> None:
        """Remember what an answer took."""
        self._prompt += tokens_in
        self._characters += characters
        self._replies += tokens_out
        self._answers += 1


class Gate:
    """How many requests may be in flight: up to ``most``, fewer after "too many requests" (429).

    Each 429 takes half a place away, and each answer gives back so much that a full round of them gives ``GROWTH``
    places. So a round that is refused whole halves what is allowed, and one of which 5 % are refused barely lowers
    it (Alizadeh et al., DCTCP, 2010); halving at every 429, as TCP does, would keep 5 of 128 places at that share.
    A 429 stops everyone too: for the time that the server asks, or for a short one that doubles while nothing but
    429 comes.
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
        """Whether everyone waits because of a 429."""
        return self._clock() < self._opens

    async def enter(self) -> None:
        """Wait for a place; it is given back by :meth:`leave`."""
        while self.closed or self.in_flight >= int(self.allowed):
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            await place
        self.in_flight += 1

    def leave(self) -> None:
        """Give a place back."""
        self.in_flight -= 1
        self._wake()

    def answered(self) -> None:
        """Allow a little more."""
        self._refused = 0
        self.allowed = min(float(self.most), self.allowed + GROWTH / self.allowed)

    def too_many(self, sent: float, wait: float | None) -> None:
        """Allow less, and nothing for a while.

        Args:
            sent: when the refused request went out; those that went together double the wait once.
            wait: the seconds that the server asks for, if it does.
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
