"""Seeded orders, in which the order of two names does not depend on the other names."""

import hashlib
from collections.abc import Callable, Iterable
from heapq import nsmallest
from typing import TypeVar

T = TypeVar("T")


def draw_seed(seed: int, draw: int) -> int:
    """Return the seed of a draw: ``seed`` for draw 0, otherwise a hash of ``seed`` and the draw below 2^31."""
    if not draw:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed}\0draw\0{draw}".encode()).digest()[:4], "big") >> 1


def shuffle(names: Iterable[str], seed: int, of: str = "") -> list[str]:
    """Return the names in a random order that depends only on ``seed``.

    The names are sorted by a hash of the seed and the name. Removing a name does not change the order of the others.
    The first n names are also the first n of any larger sample, so samples of different sizes are nested.

    Args:
        names: the names.
        seed: the seed of the order.
        of: the purpose of the draw, such as a query id. Each purpose has a separate order. In a common order, every
            query would draw the names with the smallest hashes.
    """
    return sorted(names, key=lambda name: sort_key(name, seed, of))


def sample(items: Iterable[T], count: int, seed: int, name_of: Callable[[T], str], of: str = "") -> list[T]:
    """Return the items with the first ``count`` names in the order of :func:`shuffle`, in this order.

    The items are read once and at most ``count`` are kept in memory, so the source may be a file of any size.
    """
    return nsmallest(count, items, key=lambda item: sort_key(name_of(item), seed, of))


def sort_key(name: str, seed: int, of: str = "") -> bytes:
    """Return the key by which :func:`shuffle` sorts a name."""
    return hashlib.sha256(f"{seed}\0{of}\0{name}".encode() if of else f"{seed}\0{name}".encode()).digest()
