"""Read the parts of a provider's answer, whatever their types: nothing here raises an error.

Servers with the interface of OpenAI differ in the types of a reply: text, a list of parts, or nothing, and counts as
numbers, texts or nothing. A reply that was paid for is kept in any case.
"""

import json
import math
import re
from typing import Any, NamedTuple

THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "thought", "thoughts")
"""Fields of a message in which servers return thoughts."""

LARGEST_COUNT = 100_000_000
"""A larger count of tokens is an error of the server: no model has a context of this length."""

DEEPEST = 50
"""Levels of lists and objects that :func:`read_content` follows."""

_TEXT_KEYS = ("text", "content", "output_text", "value")
_THOUGHT_KEYS = ("thinking", "reasoning", "reasoning_content", "thought", "summary")
_THOUGHT_TYPES = re.compile(r"think|thought|reason", re.IGNORECASE)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


ERROR_REMEDY = "change the model or its settings in config/llms, or run again when the server has recovered"


class Content(NamedTuple):
    """The text of a reply, and the model's thoughts if the provider returns them separately."""

    text: str
    thought: str = ""


def parse_json(source: str | bytes) -> Any:
    """Return a JSON value, or None if the source is not JSON or is nested too deeply.

    Integers of more than 18 digits become floats, because Python refuses those of more than 4,300.
    """
    try:
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
        return json.loads(text.removeprefix("\ufeff"), parse_int=_parse_int)
    except (ValueError, RecursionError):
        return None


def _parse_int(digits: str) -> int | float:
    return int(digits) if len(digits) < 19 else float(digits)


def make_valid(value: object) -> str:
    """Return a value as text that can be written as UTF-8; half of a surrogate pair becomes U+FFFD."""
    text = value if isinstance(value, str) else "" if value is None else _as_json(value)
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return ""


def read_content(value: Any) -> Content:
    """Return the text of a message's content: a text, nothing, or a list of parts, whose texts are joined.

    Parts of a type such as ``thinking`` or ``reasoning`` are thoughts.
    """
    texts: list[str] = []
    thoughts: list[str] = []
    waiting: list[tuple[Any, bool, int]] = [(value, False, 0)]
    while waiting:
        item, is_thought, depth = waiting.pop()
        if depth > DEEPEST or item is None:
            continue
        if isinstance(item, list | tuple):
            waiting += [(part, is_thought, depth + 1) for part in reversed(item)]
        elif isinstance(item, dict):
            is_thought = is_thought or item.get("thought") is True or bool(_THOUGHT_TYPES.search(str(item.get("type"))))
            thought = next((item[key] for key in _THOUGHT_KEYS if item.get(key) and item[key] is not True), None)
            waiting.append((next((item[key] for key in _TEXT_KEYS if key in item), None), is_thought, depth + 1))
            waiting.append((thought, True, depth + 1))
        else:
            (thoughts if is_thought else texts).append(make_valid(item))
    return Content("".join(texts), "".join(thoughts))


def read_message(value: Any) -> Content:
    """Return the text of a message, and its thoughts from parts and from fields such as ``reasoning_content``."""
    if not isinstance(value, dict):
        return read_content(value)
    text, thought = read_content(value.get("content"))
    field = next((value[key] for key in THOUGHT_FIELDS if value.get(key)), None)
    return Content(text, thought or "".join(read_content(field)))


def error_words(error: Any) -> str:
    """Return the words of an error in an answer's body, with its code."""
    if not isinstance(error, dict):
        return make_valid(error)
    words = make_valid(error.get("message") or error)
    return f"{make_valid(error['code'])}: {words}" if error.get("code") else words


def read_count(value: Any) -> int | None:
    """Return a number of tokens, stated as a number or as text; None if it is missing or not such a number."""
    if isinstance(value, str):
        value = parse_json(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if 0 <= value <= LARGEST_COUNT and value == int(value) else None
