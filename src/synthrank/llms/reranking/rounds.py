"""Run many conversations with one model in lockstep, one batch of requests per round."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TypeAlias, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
R = TypeVar("R")

Conversation: TypeAlias = Generator[list[Q], Sequence[A], R]
"""Yields its next requests, receives the answers in the same order, and returns its result."""


def run_in_rounds(
    conversations: Iterable[Conversation[Q, A, R]], ask: Callable[[list[Q]], Sequence[A]], most: int
) -> Iterator[R]:
    """Yield the results of the conversations, in their order.

    Each round sends the current requests of all open conversations. A new conversation is started while fewer than
    ``most`` requests are waiting, so memory does not grow with the number of conversations. The requests of a round
    depend only on the conversations.

    Args:
        conversations: the conversations, taken one at a time.
        ask: returns the answers to the requests of a round, in order.
        most: target number of requests per round; a single conversation may exceed it.
    """
    coming = enumerate(conversations)
    active: dict[int, tuple[Conversation[Q, A, R], list[Q]]] = {}
    ended: dict[int, R] = {}
    waiting = given = 0

    def advance(number: int, conversation: Conversation[Q, A, R], answers: Sequence[A] | None) -> int:
        """Send answers to a conversation, and return the number of its next requests."""
        try:
            asks = next(conversation) if answers is None else conversation.send(answers)
        except StopIteration as stop:
            active.pop(number, None)
            ended[number] = stop.value
            return 0
        active[number] = conversation, asks
        return len(asks)

    while True:
        while waiting < most and (new := next(coming, None)):
            waiting += advance(*new, None)
        while given in ended:
            yield ended.pop(given)
            given += 1
        if not active:
            return
        answers = ask([item for _, asks in active.values() for item in asks])
        start = waiting = 0
        for number, (conversation, asks) in list(active.items()):
            waiting += advance(number, conversation, answers[start : start + len(asks)])
            start += len(asks)
