"""Seeded orders that do not depend on what else is in the list."""

import hashlib
from collections.abc import Callable, Iterable
from heapq import nsmallest
from typing import TypeVar

T = TypeVar("T")


def drawn(seed: int, draw: int) -> int:
    """Return the seed of a draw: ``seed`` itself for draw 0, else a number below 2^31 from a hash of both."""
    if not draw:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed}\0draw\0{draw}".encode()).digest()[:4], "big") >> 1


def seeded(names: Iterable[str], seed: int, of: str = "") -> list[str]:
    """Return the names in a random order that ``seed`` fixes.

    Each name's place comes from a hash of the seed and the name, so leaving one out moves no other, and the first n
    are contained in the first m > n: samples of growing size are nested.

    Args:
        names: what is ordered.
        seed: of the order.
        of: what the names are drawn for, such as a query id. Each has an order of its own: in one order for all, the
            names with the smallest hashes would be drawn for every query that has them.
    """
    return sorted(names, key=lambda name: place(name, seed, of))


def sample(items: Iterable[T], count: int, seed: int, name_of: Callable[[T], str], of: str = "") -> list[T]:
    """Return the items whose names are the first ``count`` of the order of :func:`seeded`, in that order.

    The items are read once and ``count`` of them are held, so that they may come out of a file of any size.
    """
    return nsmallest(count, items, key=lambda item: place(name_of(item), seed, of))


def place(name: str, seed: int, of: str = "") -> bytes:
    """Return what :func:`seeded` sorts a name by."""
    return hashlib.sha256(f"{seed}\0{of}\0{name}".encode() if of else f"{seed}\0{name}".encode()).digest()
