"""Seeded orders that do not depend on what else is in the list."""

import hashlib
from collections.abc import Iterable


def seeded(names: Iterable[str], seed: int) -> list[str]:
    """Return the names in a random order that ``seed`` fixes.

    Each name's place comes from a hash of the seed and the name, so leaving one out moves no other, and the first n
    are contained in the first m > n: samples of growing size are nested.
    """
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
