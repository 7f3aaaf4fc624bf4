"""Read a reply as a passage, or return the reason why it is not usable."""

import re
from dataclasses import dataclass

from synthrank.config.paradigms import Quality
from synthrank.data.records import Reply
from synthrank.data.words import count_words
from synthrank.llms.bodies import parse_json
from synthrank.llms.parsing.refusals import is_refusal
from synthrank.llms.parsing.thoughts import THOUGHT, make_readable, read_answer, remove_thoughts

REASONS = ("blocked", THOUGHT, "malformed", "empty", "refusal", "meta", "truncated", "too-short", "duplicate")
"""Reasons why a reply is dropped, in the order of the checks."""

# Prefaces such as "Sure! Here is a passage that answers the question:", up to a colon or the line end.
_PREFACE = re.compile(
    r"^\s*(?:(?:sure|certainly|of course|absolutely)\b[^\n:]{0,40}[!.,]\s*)?"
    r"(?:(?:here(?:['\u2019]s| is| are)|below is|(?:the following|this) is (?:an?|the|my|one))\b[^\n]{0,20}?\b"
    r"(?:passage|answer|text|paragraph|response)\b[^\n:]{0,120}:|"
    # The form of a few-shot prompt, repeated in the reply: "Question: … Passage: …".
    r"question\s*:.{0,400}?\b(?:passage|answer)\s*:|(?:passage|answer|response|text)\s*:)\s*",
    re.IGNORECASE | re.DOTALL,
)
_META = re.compile(
    r"\b(this|the (above|following)|here is a|your) (passage|prompt|question|exemplars?)\b|"
    r"\b(as requested|per your request|search collection|passages? that answers?|write (a|one( new)?) passage|"
    r"passage of about \d+ words)\b",
    re.IGNORECASE,
)
# Chinese and Japanese have no space after a sentence; Thai and Lao have a space and no mark.
_SENTENCE_END = re.compile(
    r"[.!?\u061f\u06d4\u0964\u0965\u104b\u1362\u17d4][\"')\]]*(?=\s|$)"
    r"|[\u3002\uff01\uff1f\uff61][\"')\]\u201d\u2019\u300d\u300f\uff09\u300b]*|[\u0e01-\u0edf](?=\s)"
)
_JSON_PASSAGE = re.compile(r'\{\s*"passage"')
_FENCED_JSON = re.compile(r"^```\w*\s*(\{.*?)\s*```$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reading:
    """A reply read as a passage. ``reason`` is empty if ``text`` is usable; ``repaired`` names what was cut."""

    text: str
    reason: str = ""
    repaired: tuple[str, ...] = ()


def read_passage(reply: Reply, quality: Quality) -> Reading:
    """Return the passage in a reply, or the reason why the reply is not usable.

    Thoughts and a preface ("Here is a passage …:") are removed. A reply that reached the token limit is cut after its
    last complete sentence; without a complete sentence, it is ``truncated``.
    """
    answer = read_answer(reply)
    text, repaired = answer.text, [*answer.notes]
    if reply.finish_reason == "blocked":
        return Reading(text, "blocked")
    if answer.unanswered:
        return Reading("", THOUGHT)
    unwrapped = _unwrap(text)
    if unwrapped is None:
        return Reading(text, "malformed")
    text, marked = remove_thoughts(unwrapped)
    if marked:
        repaired = list(dict.fromkeys([THOUGHT, *repaired]))
    text = make_readable(text)
    if not text and marked:
        return Reading("", THOUGHT)
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
    if count_words(text) < quality.min_words:
        return Reading(text, "too-short")
    return Reading(text, "", tuple(repaired))


def _unwrap(text: str) -> str | None:
    """Return the passage of a structured reply, other text unchanged, and None for JSON without a passage."""
    fenced = _FENCED_JSON.match(text)
    body = fenced[1] if fenced else text
    if not body.startswith("{"):
        return text
    value = parse_json(body)
    if value is None:
        return None if _JSON_PASSAGE.match(body) else text
    passage = value.get("passage") if isinstance(value, dict) else None
    return passage if isinstance(passage, str) else None
