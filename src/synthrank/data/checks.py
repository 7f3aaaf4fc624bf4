"""Checks of ids and counts."""

from collections.abc import Container

from synthrank.data.words import is_id
from synthrank.errors import DataError


def check_id(kind: str, name: str, seen: Container[str], where: str) -> None:
    """Raise DataError if an id is repeated, or invalid in a TREC file."""
    if not is_id(name):
        raise DataError(
            f"{where}: invalid {kind} id {name!r:.100}; an id must not be empty or contain white space or control "
            "characters"
        )
    if name in seen:
        raise DataError(f"{where}: {kind} id {name!r} is repeated; ids must be unique")


def check_count(what: str, actual: int, stated: int | None, where: str) -> None:
    """Raise DataError if an entity states another count."""
    if stated is not None and actual != stated:
        raise DataError(f"{where}: counts: found {actual} {what}, {stated} stated; restore the data or fix the count")
