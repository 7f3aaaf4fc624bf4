"""Checks that both steps of the stage share."""

from collections.abc import Container

from synthrank.errors import DataError


def check_id(kind: str, name: str, seen: Container[str], where: str) -> None:
    """Raise DataError unless an id is new and can stand in a TREC file, whose columns are parted by white space."""
    if name.split() != [name]:
        raise DataError(f"{where}: {kind} id {name!r}: expected an id that is not empty and has no white space")
    if name in seen:
        raise DataError(f"{where}: {kind} id {name!r} is given twice; ids must be unique")


def check_count(what: str, actual: int, stated: int | None, where: str) -> None:
    """Raise DataError where an entity states another count."""
    if stated is not None and actual != stated:
        raise DataError(f"{where}: counts: {actual} {what}, but {stated} are stated; restore the data or the count")
