"""How a reply could be read, and whether it is an answer at all."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")

_REFUSAL = re.compile(
    r"^(i['\u2019]?m sorry|i am sorry|sorry,|i apologi[sz]e|i can(no|['\u2019])t |i am (not able|unable)|"
    r"i['\u2019]m (not able|unable)|as an? (ai|artificial intelligence|(large )?language model)\b|unfortunately, i )",
    re.IGNORECASE,
)


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


def is_refusal(text: str) -> bool:
    """Tell whether a reply opens as language models do that will not do what was asked."""
    return bool(_REFUSAL.match(text))
