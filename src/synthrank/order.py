"""Seeded orders that do not depend on what else is in the list."""

import hashlib
from collections.abc import Callable, Iterable
from heapq import nsmallest
from typing import TypeVar

T = TypeVar("T")


def seeded(names: Iterable[str], seed: int) -> list[str]:
    """Return the names in a random order that ``seed`` fixes.

    Each name's place comes from a hash of the seed and the name, so leaving one out moves no other, and the first n
    are contained in the first m > n: samples of growing size are nested.
    """
    return sorted(names, key=lambda name: _place(name, seed))


def sample(items: Iterable[T], count: int, seed: int, name_of: Callable[[T], str]) -> list[T]:
    """Return the items whose names are the first ``count`` of the order of :func:`seeded`, in that order.

    The items are read once and ``count`` of them are held, so that they may come out of a file of any size.
    """
    return nsmallest(count, items, key=lambda item: _place(name_of(item), seed))


def _place(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
