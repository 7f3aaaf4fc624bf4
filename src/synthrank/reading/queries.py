"""Reading a language model's reply as the queries it was asked to write."""

import json
import re

from synthrank.reading.status import Read, Status, is_refusal
from synthrank.records import Reply

_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d{1,3}[.):]|(?:relevant )?q(?:uery|uestion)?\s*\d*\s*:)\s*", re.IGNORECASE)
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)


def read_query_reply(reply: Reply) -> Read[list[str]]:
    """Return the queries of a reply: a list, or a single query.

    A reply that the token limit cut loses its last line, which may be half a query; one of a single line is
    ``truncated``.
    """
    text = reply.text.strip()
    if reply.finish_reason == "blocked":
        return Read(None, Status.BLOCKED)
    if is_refusal(text):
        return Read(None, Status.REFUSED)
    if reply.finish_reason != "length":
        return read_queries(text)
    whole = "\n".join(text.splitlines()[:-1]).strip()
    if not whole:
        return Read(None, Status.TRUNCATED)
    read = read_queries(whole)
    return read if read.value is None else Read(read.value, Status.REPAIRED, (*read.notes, "cut"))


def read_queries(text: str) -> Read[list[str]]:
    """Return the queries of a reply, in order: a JSON list of texts, or one query a line.

    Numbers, bullets and quotation marks at a line's ends are cut; blank and repeated queries are left out. A reply of
    one paragraph of several sentences is no list, and malformed.
    """
    body = text.strip()
    fenced = _FENCE.match(body)
    notes = ["code fence"] if fenced else []
    body = fenced[1].strip() if fenced else body
    if body.startswith(("[", "{")):
        found = _json_list(body)
        if found is None:
            return Read(None, Status.MALFORMED, ("neither a JSON list of texts nor lines",))
        lines = found
    else:
        lines = [_MARK.sub("", line).strip().strip("\"'“”") for line in body.splitlines()]
        if any(line.rstrip().endswith(":") and place == 0 for place, line in enumerate(body.splitlines())):
            lines = lines[1:]
            notes.append("preface")
    kept = list(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
    if len(kept) < len([line for line in lines if line.strip()]):
        notes.append("repeated")
    if not kept:
        return Read(None, Status.MALFORMED, ("no query",))
    if len(kept) == 1 and len(re.findall(r"[.!?](?:\s|$)", kept[0])) > 2:
        return Read(None, Status.MALFORMED, ("a paragraph",))
    return Read(kept, Status.REPAIRED if notes else Status.WELL_FORMED, tuple(notes))


def _json_list(body: str) -> list[str] | None:
    try:
        value = json.loads(body)
    except json.JSONDecodeError:
        return None
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [item.strip() for item in value]
    return None
