"""Reading a language model's reply as the queries it was asked to write."""

from synthrank.reading.lists import read_queries
from synthrank.reading.refusals import is_refusal
from synthrank.reading.status import Read, Status
from synthrank.records import Reply


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
