"""Reading a reply as a passage: what is cut away, and when it is no passage at all."""

import json
import re
from dataclasses import dataclass

from synthrank.reading.status import is_refusal
from synthrank.records import Reply
from synthrank.specs.paradigms import Quality

REASONS = ("blocked", "malformed", "empty", "refusal", "meta", "truncated", "too-short", "duplicate")
"""Why a reply is dropped, in the order in which it is checked."""

# "Sure! Here is a passage that answers the question:" and its kin stand before the passage, up to a colon or line end.
_PREFACE = re.compile(
    r"^\s*(?:(?:sure|certainly|of course|absolutely)\b[^\n:]{0,40}[!.,]\s*)?"
    r"(?:(?:here(?:['\u2019]s| is| are)|below is|(?:the following|this) is (?:an?|the|my|one))\b[^\n]{0,20}?\b"
    r"(?:passage|answer|text|paragraph|response)\b[^\n:]{0,120}:|"
    # A few-shot prompt's own form, echoed: "Question: … Passage: …".
    r"question\s*:.{0,400}?\b(?:passage|answer)\s*:|(?:passage|answer|response|text)\s*:)\s*",
    re.IGNORECASE | re.DOTALL,
)
_META = re.compile(
    r"\b(this|the (above|following)|here is a|your) (passage|prompt|question|exemplars?)\b|"
    r"\b(as requested|per your request|search collection|passages? that answers?|write (a|one( new)?) passage|"
    r"passage of about \d+ words)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?][\"')\]]*(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Reading:
    """A reply read as a passage. ``reason`` is empty where ``text`` is usable; ``repaired`` lists what was cut."""

    text: str
    reason: str = ""
    repaired: tuple[str, ...] = ()


def read_passage(reply: Reply, quality: Quality) -> Reading:
    """Return the passage in a reply, or the reason why there is none.

    A preface ("Here is a passage …:") is cut off. A reply that the token limit cut is cut back to its last whole
    sentence; one without a whole sentence is ``truncated``.
    """
    text = reply.text.strip()
    repaired = []
    if reply.finish_reason == "blocked":
        return Reading(text, "blocked")
    unwrapped = _unwrapped(text)
    if unwrapped is None:
        return Reading(text, "malformed")
    text = unwrapped
    if not text:
        return Reading("", "empty")
    if is_refusal(text):
        return Reading(text, "refusal")
    without = _PREFACE.sub("", text, count=1)
    if without != text:
        repaired.append("preface")
    text = " ".join(without.strip().strip('"`*').split())
    if _META.search(text):
        return Reading(text, "meta")
    if reply.finish_reason == "length":
        ends = list(_SENTENCE_END.finditer(text))
        if not ends:
            return Reading(text, "truncated")
        if ends[-1].end() < len(text):
            text = text[: ends[-1].end()]
            repaired.append("cut-to-sentence")
    if len(text.split()) < quality.min_words:
        return Reading(text, "too-short")
    return Reading(text, "", tuple(repaired))


def _unwrapped(text: str) -> str | None:
    """Return the passage of a structured reply, any other text as it is, and None for JSON of another form."""
    if not text.startswith("{"):
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return None if text.startswith('{"passage"') else text
    passage = value.get("passage") if isinstance(value, dict) else None
    return passage.strip() if isinstance(passage, str) else None
