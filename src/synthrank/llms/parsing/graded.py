"""Read a reply as passages of several levels of relevance."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from synthrank.config.paradigms import Quality
from synthrank.data.records import Reply
from synthrank.llms.bodies import parse_json
from synthrank.llms.parsing.passage import REASONS as PASSAGE_REASONS
from synthrank.llms.parsing.passage import read_passage
from synthrank.llms.parsing.refusals import is_refusal
from synthrank.llms.parsing.thoughts import THOUGHT, read_answer

REASONS = (*PASSAGE_REASONS, "missing-level", "repeated-level")
"""Reasons why a reply is dropped; the reasons for a level's text are those of a reply with one passage."""

_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)
# "### Level 3", "**Level 2 (partly relevant):** text", "Relevance: 1 - off the point:". A passage may start with
# "Level 2 charging is …", so the number must be followed by a colon or the line end, with at most a remark in between.
_HEADING = re.compile(
    r"^[ \t#*_>(\[-]*(?:relevance[ \t]+)?(?:level|grade|relevance|score)[ \t]*+(?:[:=#][ \t]*+)?(\d{1,9})\b[ \t*_\])]*"
    r"(?:\([^)\n]{0,80}\)[ \t*_]*|[-\u2013\u2014][^\n:]{0,80}?(?=:|$)|,[^\n:.]{0,80}?(?=:))?(?::[ \t*_]*|$)",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(r"^\D*(\d{1,9})\D*$")
_KEYS = ("text", "passage", "content")
_LEVELS = ("level", "grade", "relevance", "score")


@dataclass(frozen=True, slots=True)
class GradedReading:
    """The passages of a reply as (level, text), best level first, or the ``reason`` why the reply is not usable.

    ``missing`` contains the requested levels that the reply lacks; ``repaired`` names what was cut or ignored.
    """

    passages: tuple[tuple[int, str], ...] = ()
    reason: str = ""
    missing: tuple[int, ...] = ()
    repaired: tuple[str, ...] = ()


def read_graded(reply: Reply, levels: Sequence[int], quality: Quality) -> GradedReading:
    """Return a passage per level, or the reason why the reply is not usable. A usable reply has every level.

    The reply may be JSON, with or without a code fence: a list of objects with level and text, an object from levels to
    texts, or an object around one of these. Other text is split at lines that name a level. Text before the first
    level and parts with a level that was not requested are ignored and noted. Each part is read as a reply of one
    passage.

    Args:
        reply: the reply.
        levels: the requested levels, best first.
        quality: conditions for a usable passage.
    """
    answer = read_answer(reply)
    text = answer.text
    if reply.finish_reason == "blocked":
        return GradedReading(reason="blocked")
    if answer.unanswered:
        return GradedReading(reason=THOUGHT)
    if not text:
        return GradedReading(reason="empty")
    if is_refusal(text):
        return GradedReading(reason="refusal")
    cut = reply.finish_reason == "length"
    parts, repaired = _split_levels(text)
    if parts is None:
        return GradedReading(reason="truncated" if cut else "malformed")
    repaired = [*answer.notes, *repaired]
    kept = [(level, part) for level, part in parts if level in levels]
    repaired += ["outside"] if len(kept) < len(parts) else []
    times = Counter(level for level, _ in kept)
    missing = tuple(level for level in levels if not times[level])
    if missing:
        return GradedReading((), "truncated" if cut else "missing-level", missing)
    if times.total() > len(levels):
        return GradedReading(reason="repeated-level")
    return _keep_usable(reply, sorted(kept, key=lambda item: levels.index(item[0])), parts[-1][0], quality, repaired)


def _keep_usable(
    reply: Reply, kept: list[tuple[int, str]], last: int, quality: Quality, repaired: list[str]
) -> GradedReading:
    """Return the texts read as passages. Only the last text of the reply can be cut by the token limit."""
    passages = []
    for level, part in kept:
        finish = reply.finish_reason if level == last else "stop"
        reading = read_passage(replace(reply, text=part, finish_reason=finish, thought=""), quality)
        if reading.reason:
            return GradedReading(reason=reading.reason)
        passages.append((level, reading.text))
        repaired += reading.repaired
    if len({text.lower() for _, text in passages}) < len(passages):
        return GradedReading(reason="duplicate")
    return GradedReading(tuple(passages), "", (), tuple(dict.fromkeys(repaired)))


def _split_levels(text: str) -> tuple[list[tuple[int, str]] | None, list[str]]:
    """Return (level, text) of each part in order, None without any part, and the names of the repairs."""
    fenced = _FENCE.match(text)
    body = fenced[1].strip() if fenced else text
    repaired = ["code-fence"] if fenced else []
    if body.startswith(("{", "[")):
        value = parse_json(body)
        if value is not None:
            return list(_read_json(value)) or None, repaired
        # A heading may be in brackets.
    headings = list(_HEADING.finditer(body))
    if not headings:
        return None, repaired
    repaired += ["preface"] if body[: headings[0].start()].strip() else []
    ends = [*(heading.start() for heading in headings[1:]), len(body)]
    return [(int(at[1]), body[at.end() : end].strip()) for at, end in zip(headings, ends, strict=True)], repaired


def _read_json(value: Any) -> Iterator[tuple[int, str]]:
    """Yield (level, text) from a list of objects, from an object by level, or from an object around one of these."""
    while isinstance(value, dict) and len(value) == 1 and not isinstance(next(iter(value.values())), str):
        value = next(iter(value.values()))
    if isinstance(value, list):
        for item in value:
            pair = _pair(item)
            if pair is not None:
                yield pair
    elif isinstance(value, dict):
        by_level = [(_parse_level(key), text) for key, text in value.items() if isinstance(text, str)]
        yield from ((level, text) for level, text in by_level if level is not None)


def _pair(item: Any) -> tuple[int, str] | None:
    if not isinstance(item, dict):
        return None
    level = next((_parse_level(item[key]) for key in _LEVELS if key in item), None)
    text = next((item[key] for key in _KEYS if isinstance(item.get(key), str)), None)
    return (level, text) if level is not None and text is not None else None


def _parse_level(value: Any) -> int | None:
    """Return the level in a number, or in a text with one number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if float(value).is_integer() else None
    match = _NUMBER.match(value) if isinstance(value, str) else None
    return int(match[1]) if match else None
