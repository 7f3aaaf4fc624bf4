"""How a reply could be read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Status(StrEnum):
    """What became of a reply."""

    WELL_FORMED = "well-formed"
    REPAIRED = "repaired"
    MALFORMED = "malformed"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A value out of a reply. ``notes`` says what was repaired, or why there is no value."""

    value: T | None
    status: Status
    notes: tuple[str, ...] = ()
