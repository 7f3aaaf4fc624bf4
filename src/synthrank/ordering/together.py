"""Many talks with one model, side by side: in each round all of them are asked at once what they ask now."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TypeAlias, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
R = TypeVar("R")

Talk: TypeAlias = Generator[list[Q], Sequence[A], R]
"""Yields what is to be asked now, is sent the answers in that order, and returns what it came to."""


def together(talks: Iterable[Talk[Q, A, R]], ask: Callable[[list[Q]], Sequence[A]], most: int) -> Iterator[R]:
    """Yield what each talk comes to, in their order.

    A talk's own asks follow each other; the talks do not wait for each other. A new one is begun as long as less than
    ``most`` is waiting to be asked, so that what is in memory does not grow with the number of talks, and what is asked
    in a round depends on nothing but the talks.

    Args:
        talks: taken one by one, each when there is room.
        ask: returns the answers to everything that is asked in one round, in order.
        most: how much is asked in a round, more or less: a talk that asks more at once is let.
    """
    coming = enumerate(talks)
    active: dict[int, tuple[Talk[Q, A, R], list[Q]]] = {}
    ended: dict[int, R] = {}
    waiting = given = 0

    def go_on(number: int, talk: Talk[Q, A, R], answers: Sequence[A] | None) -> int:
        """Return how much a talk asks now."""
        try:
            asks = next(talk) if answers is None else talk.send(answers)
        except StopIteration as stop:
            active.pop(number, None)
            ended[number] = stop.value
            return 0
        active[number] = talk, asks
        return len(asks)

    while True:
        while waiting < most and (new := next(coming, None)):
            waiting += go_on(*new, None)
        while given in ended:
            yield ended.pop(given)
            given += 1
        if not active:
            return
        answers = ask([item for _, asks in active.values() for item in asks])
        start = waiting = 0
        for number, (talk, asks) in list(active.items()):
            waiting += go_on(number, talk, answers[start : start + len(asks)])
            start += len(asks)
