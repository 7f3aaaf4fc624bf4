"""Status of a parsed reply, and reasons why no reply is usable."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Status(StrEnum):
    """Status of a parsed reply."""

    WELL_FORMED = "well-formed"
    REPAIRED = "repaired"
    MALFORMED = "malformed"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """The value in a reply. ``notes`` names the repairs, or the reason for a missing value."""

    value: T | None
    status: Status
    notes: tuple[str, ...] = ()


_REMEDY = {
    "thought": "the replies end within a thought: raise sampling.max_new_tokens in the LLM's file or turn its thoughts "
    "off",
    "truncated": "raise sampling.max_new_tokens in the LLM's file",
    "blocked": "the provider withholds the replies: change the prompt or the LLM",
    "empty": "the LLM returns no text: check its file and the server",
    "too-short": "change the prompt or lower quality.min_words",
    "refusal": "change the prompt or the LLM",
}


def state_reasons(counted: Mapping[str, int]) -> str:
    """Return the counts of reasons and a remedy, for the end of a message."""
    ordered = sorted(counted.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{count} {reason}" for reason, count in ordered)
    return f"({shown}); {_REMEDY.get(ordered[0][0] if ordered else '', 'change the prompt')}"
