"""Structured replies: requests in each provider's form, live and by batch, and parsing."""

import json
from dataclasses import replace

import pytest
from provider_clients import GEMINI, OPENAI
from provider_specs import request

from synthrank.config.paradigms import Quality
from synthrank.config.reply_schemas import SCHEMA_OF
from synthrank.data.records import Message, Reply
from synthrank.llms.base import request_key
from synthrank.llms.parsing.passage import read_passage

SCHEMA = SCHEMA_OF["passage"]


def form_of(line):
    """Return the schema in a line of a batch of either provider."""
    if "body" in line:
        return line["body"].get("response_format", {}).get("json_schema", {}).get("schema")
    return line["request"]["generationConfig"].get("responseJsonSchema")


@pytest.mark.parametrize("provider", [OPENAI, GEMINI], ids=["openai", "gemini"])
def test_batch_lines_have_a_schema_only_if_the_request_has_one(provider, server):
    structured = replace(request(), schema=SCHEMA)
    for asked, form in ((request(), None), (structured, json.loads(SCHEMA))):
        assert form_of(provider.use(server, lambda client, asked=asked: client.batch_line("k", asked))) == form
    assert provider.ask(server, structured).finish_reason == "stop"


def test_request_key_depends_on_the_schema():
    assert request_key({}, replace(request(), schema=SCHEMA)) != request_key({}, request())


@pytest.mark.parametrize(
    ("text", "passage", "reason"),
    [
        ('{"passage": "One two three four five."}', "One two three four five.", ""),
        ('{"passage": ""}', "", "empty"),
        ('{"answer": "One two three four five."}', '{"answer": "One two three four five."}', "malformed"),
        ('{"passage": "One two three four five six', '{"passage": "One two three four five six', "malformed"),
        ("{x} is one two three four.", "{x} is one two three four.", ""),
    ],
)
def test_read_passage_unwraps_a_structured_reply(text, passage, reason):
    reply = Reply("q", "why?", 0, text, "stop", 1, 1, "m", {}, (Message("user", "x"),))
    reading = read_passage(reply, Quality(min_words=5))
    assert (reading.text, reading.reason) == (passage, reason)
