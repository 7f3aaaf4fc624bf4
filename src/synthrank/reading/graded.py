"""Reading a reply as passages of several levels of relevance."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from synthrank.reading.passage import REASONS as PASSAGE_REASONS
from synthrank.reading.passage import read_passage
from synthrank.reading.status import is_refusal
from synthrank.records import Reply
from synthrank.specs.paradigms import Quality

REASONS = (*PASSAGE_REASONS, "missing-level", "repeated-level")
"""Why a reply is dropped; what is wrong with a level's text is named as for a reply of one passage."""

_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)
# "### Level 3", "**Level 2 (partly relevant):** text", "Relevance: 1 - off the point:". A passage may itself begin with
# "Level 2 charging is …": what follows the number must be a colon or the end of the line, but for a remark in between.
_HEADING = re.compile(
    r"^[ \t#*_>(\[-]*(?:relevance[ \t]+)?(?:level|grade|relevance|score)[ \t]*[:=#]?[ \t]*(\d+)\b[ \t*_\])]*"
    r"(?:\([^)\n]{0,80}\)[ \t*_]*|[-\u2013\u2014][^\n:]{0,80}?(?=:|$)|,[^\n:.]{0,80}?(?=:))?(?::[ \t*_]*|$)",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(r"^\D*(\d+)\D*$")
_KEYS = ("text", "passage", "content")
_LEVELS = ("level", "grade", "relevance", "score")


@dataclass(frozen=True, slots=True)
class GradedReading:
    """A reply read as (level, text), best level first; ``reason`` says why there are none.

    ``missing`` holds the levels that were asked for and are not there; ``repaired`` lists what was cut or passed over.
    """

    passages: tuple[tuple[int, str], ...] = ()
    reason: str = ""
    missing: tuple[int, ...] = ()
    repaired: tuple[str, ...] = ()


def read_graded(reply: Reply, levels: Sequence[int], quality: Quality) -> GradedReading:
    """Return a passage for each level, or the reason why the reply is not usable: it is with all of them alone.

    JSON with a list of levels and texts, with or without a code fence or an object around it, or by level, is read as
    such; other text is taken apart at lines that name a level. What stands before the first of them, and what has a
    level that was not asked for, is passed over and noted. Each text is read as a reply of one passage is.

    Args:
        reply: the reply.
        levels: what was asked for, best first.
        quality: when each passage is usable.
    """
    text = reply.text.strip()
    if reply.finish_reason == "blocked":
        return GradedReading(reason="blocked")
    if not text:
        return GradedReading(reason="empty")
    if is_refusal(text):
        return GradedReading(reason="refusal")
    cut = reply.finish_reason == "length"
    parts, repaired = _parts(text)
    if parts is None:
        return GradedReading(reason="truncated" if cut else "malformed")
    kept = [(level, part) for level, part in parts if level in levels]
    repaired += ["outside"] if len(kept) < len(parts) else []
    times = Counter(level for level, _ in kept)
    missing = tuple(level for level in levels if not times[level])
    if missing:
        return GradedReading((), "truncated" if cut else "missing-level", missing)
    if times.total() > len(levels):
        return GradedReading(reason="repeated-level")
    return _usable(reply, sorted(kept, key=lambda item: levels.index(item[0])), parts[-1][0], quality, repaired)


def _usable(
    reply: Reply, kept: list[tuple[int, str]], last: int, quality: Quality, repaired: list[str]
) -> GradedReading:
    """Return the texts read as passages. Only the last one can be what the limit cut."""
    passages = []
    for level, part in kept:
        finish = reply.finish_reason if level == last else "stop"
        reading = read_passage(replace(reply, text=part, finish_reason=finish), quality)
        if reading.reason:
            return GradedReading(reason=reading.reason)
        passages.append((level, reading.text))
        repaired += reading.repaired
    if len({text.lower() for _, text in passages}) < len(passages):
        return GradedReading(reason="duplicate")
    return GradedReading(tuple(passages), "", (), tuple(dict.fromkeys(repaired)))


def _parts(text: str) -> tuple[list[tuple[int, str]] | None, list[str]]:
    """Return (level, text) of each part in the order of the reply, None where it has none; and what was passed over."""
    fenced = _FENCE.match(text)
    body = fenced[1].strip() if fenced else text
    repaired = ["code-fence"] if fenced else []
    if body.startswith(("{", "[")):
        try:
            return list(_of_json(json.loads(body))) or None, repaired
        except (json.JSONDecodeError, RecursionError):
            pass  # a heading may stand in brackets
    headings = list(_HEADING.finditer(body))
    if not headings:
        return None, repaired
    repaired += ["preface"] if body[: headings[0].start()].strip() else []
    ends = [*(heading.start() for heading in headings[1:]), len(body)]
    return [(int(at[1]), body[at.end() : end].strip()) for at, end in zip(headings, ends, strict=True)], repaired


def _of_json(value: Any) -> Iterator[tuple[int, str]]:
    """Yield (level, text) of a list of objects, of an object by level, or of either one within an object."""
    if isinstance(value, list):
        for item in value:
            pair = _pair(item)
            if pair is not None:
                yield pair
    elif isinstance(value, dict):
        by_level = [(_level(key), text) for key, text in value.items() if isinstance(text, str)]
        if by_level:
            yield from ((level, text) for level, text in by_level if level is not None)
        elif len(value) == 1:
            yield from _of_json(next(iter(value.values())))


def _pair(item: Any) -> tuple[int, str] | None:
    if not isinstance(item, dict):
        return None
    level = next((_level(item[key]) for key in _LEVELS if key in item), None)
    text = next((item[key] for key in _KEYS if isinstance(item.get(key), str)), None)
    return (level, text) if level is not None and text is not None else None


def _level(value: Any) -> int | None:
    """Return a level out of a number, or out of a text with one number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _NUMBER.match(value) if isinstance(value, str) else None
    return int(match[1]) if match else None
