"""Read a reply as generated queries."""

import re

from synthrank.data.records import Reply
from synthrank.llms.bodies import parse_json
from synthrank.llms.parsing.refusals import is_refusal
from synthrank.llms.parsing.status import Read, Status
from synthrank.llms.parsing.thoughts import THOUGHT, make_readable, read_answer, remove_thoughts

_BULLET = re.compile(r"^\s*(?:[-*\u2013\u2014]\s+|[\u2022\u2023\u25e6\u00b7]\s*)")
_NUMBER = re.compile(r"^\s*\(?(\d{1,3})(?:[.:]\s+|\)\s*)")
_LABEL = re.compile(r"^\s*(?:relevant )?q(?:uery|uestion)?(?: ?\d{1,3})?\s?:\s*", re.IGNORECASE)
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)
_JSON = re.compile(r"[\[{]\s*[\[{\"]")
_QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019", "\u00ab": "\u00bb", "\u201e": "\u201c"}


def read_query_reply(reply: Reply) -> Read[list[str]]:
    """Return the queries of a reply: a list, or a single query.

    Thoughts are removed. The last line of a reply that reached the token limit is removed, because it may be
    incomplete. A reply of one such line, or of a thought only, is ``truncated``.
    """
    answer = read_answer(reply)
    text = answer.text
    if reply.finish_reason == "blocked":
        return Read(None, Status.BLOCKED)
    if answer.unanswered:
        return Read(None, Status.TRUNCATED, (THOUGHT,))
    if is_refusal(text):
        return Read(None, Status.REFUSED, answer.notes)
    cut = reply.finish_reason == "length"
    if cut:
        text = "\n".join(text.splitlines()[:-1]).strip()
        if not text:
            return Read(None, Status.TRUNCATED, answer.notes)
    read = read_queries(text)
    notes = (*answer.notes, *read.notes, *(("cut",) if cut and read.value is not None else ()))
    if read.value is None:
        return Read(None, read.status, notes)
    return Read(read.value, Status.REPAIRED if notes else Status.WELL_FORMED, notes)


def read_queries(text: str) -> Read[list[str]]:
    """Return the queries of a reply, in order: a JSON list of texts, or one query per line.

    The numbers and bullets of a list, and quotation marks around a whole query, are removed; blank and repeated queries
    are left out. A number is removed only if the first numbered line has number 0 or 1, so that ``3. Liga`` and
    ``3.5 mm plug`` stay queries. A single paragraph of several sentences is malformed.
    """
    body = text.strip()
    fenced = _FENCE.match(body)
    notes = ["code fence"] if fenced else []
    body = fenced[1].strip() if fenced else body
    value = parse_json(body) if body.startswith(("[", "{")) else None
    if value is not None or _JSON.match(body):
        found = _list_texts(value)
        if found is None:
            return Read(None, Status.MALFORMED, ("not a JSON list of texts",))
        lines = [make_readable(remove_thoughts(item)[0]) for item in found]
    else:
        rows = body.splitlines()
        if len(rows) > 1 and rows[0].rstrip().endswith(":"):
            rows = rows[1:]
            notes.append("preface")
        lines = _remove_marks(rows)
    filled = [" ".join(line.split()) for line in lines if line.strip()]
    kept = list(dict.fromkeys(filled))
    if len(kept) < len(filled):
        notes.append("repeated")
    if not kept:
        return Read(None, Status.MALFORMED, ("no query",))
    if len(kept) == 1 and len(re.findall(r"[.!?](?:\s|$)", kept[0])) > 2:
        return Read(None, Status.MALFORMED, ("a paragraph",))
    return Read(kept, Status.REPAIRED if notes else Status.WELL_FORMED, tuple(notes))


def _remove_marks(rows: list[str]) -> list[str]:
    """Return lines without the numbers and bullets of a list, labels, emphasis, and quotation marks around a line."""
    lines = [_BULLET.sub("", row) for row in rows]
    numbers = [_NUMBER.match(line) for line in lines]
    first = next((int(number[1]) for number in numbers if number), None)
    if first in (0, 1):
        lines = [line[number.end() :] if number else line for line, number in zip(lines, numbers, strict=True)]
    return [_unquote(_LABEL.sub("", line)) for line in lines]


def _unquote(line: str) -> str:
    line = line.strip()
    if len(line) > 4 and line[:2] == line[-2:] == "**" and "**" not in line[2:-2]:
        line = line[2:-2].strip()
    close = _QUOTES.get(line[:1])
    inner = line[1:-1]
    if close and len(line) > 2 and line.endswith(close) and line[0] not in inner and close not in inner:
        return inner.strip()
    return line


def _list_texts(value: object) -> list[str] | None:
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return None
