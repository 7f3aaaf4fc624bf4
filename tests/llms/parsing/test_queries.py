"""Reading replies as queries: complete queries, refusals and truncated replies."""

import pytest

from synthrank.data.records import Reply
from synthrank.llms.parsing.queries import read_query_reply
from synthrank.llms.parsing.status import Status


def reply(text, finish="stop"):
    return Reply("p1", "", 0, text, finish, 1, 1, "m", {}, ())


@pytest.mark.parametrize(
    ("text", "finish", "value", "status", "notes"),
    [
        ("how do bees dance?", "stop", ["how do bees dance?"], Status.WELL_FORMED, ()),
        ("Question: how do bees dance?", "stop", ["how do bees dance?"], Status.WELL_FORMED, ()),
        ("Relevant Query: how?\nQ: why?\nquery 3: who?", "stop", ["how?", "why?", "who?"], Status.WELL_FORMED, ()),
        ("quality: what is it?", "stop", ["quality: what is it?"], Status.WELL_FORMED, ()),
        ("one?\none?", "stop", ["one?"], Status.REPAIRED, ("repeated",)),
        ("how?\nwhy do be", "length", ["how?"], Status.REPAIRED, ("cut",)),
        ("same?\nsame?\nwhy do be", "length", ["same?"], Status.REPAIRED, ("repeated", "cut")),
        ("how do be", "length", None, Status.TRUNCATED, ()),
        ("", "length", None, Status.TRUNCATED, ()),
        ('["one",\n"tw', "length", None, Status.MALFORMED, ("not a JSON list of texts",)),
        ("I cannot write that.", "stop", None, Status.REFUSED, ()),
        ("As an AI language model, I do not", "length", None, Status.REFUSED, ()),
        ("how?", "blocked", None, Status.BLOCKED, ()),
        ("", "stop", None, Status.MALFORMED, ("no query",)),
    ],
)
def test_read_query_reply_returns_queries_status_and_notes(text, finish, value, status, notes):
    read = read_query_reply(reply(text, finish))
    assert (read.value, read.status, read.notes) == (value, status, notes)
