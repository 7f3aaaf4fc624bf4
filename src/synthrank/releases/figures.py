"""Counts and measured values of earlier steps as the lines of a card's table."""

from collections.abc import Iterator, Mapping
from typing import Any

_NOT_FOR_A_TABLE = ("by_query", "snapshots")
"""What counts say query by query, and names that a card gives elsewhere."""


def figures(told: Mapping[str, Any]) -> Iterator[tuple[str, int | float]]:
    """Yield (name, value) of every number, nested ones as ``outer: inner``; a list counts as its length.

    Args:
        told: what a step counted, as its JSON file holds it.
    """
    for name, value in told.items():
        if name in _NOT_FOR_A_TABLE:
            continue
        if isinstance(value, Mapping):
            yield from ((f"{name}: {part}", number) for part, number in figures(value))
        elif isinstance(value, float):
            yield name, round(value, 4)
        elif isinstance(value, int):
            yield name, value
        elif isinstance(value, list):
            yield name, len(value)
