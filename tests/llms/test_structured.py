"""Structured replies: asked for in each provider's own form, live and by batch, and read back."""

import json
from dataclasses import replace

import pytest
from provider_clients import GEMINI, OPENAI
from provider_specs import request

from synthrank.llms.base import request_key
from synthrank.reading.passage import read_passage
from synthrank.reading.schemas import SCHEMA_OF
from synthrank.records import Message, Reply
from synthrank.specs.paradigms import Quality

SCHEMA = SCHEMA_OF["passage"]


def form_of(line):
    """Return the schema that a line of a batch asks for, wherever its provider has it."""
    if "body" in line:
        return line["body"].get("response_format", {}).get("json_schema", {}).get("schema")
    return line["request"]["generationConfig"].get("responseJsonSchema")


@pytest.mark.parametrize("provider", [OPENAI, GEMINI], ids=["openai", "gemini"])
def test_a_schema_is_asked_for_only_where_the_request_has_one(provider, server):
    structured = replace(request(), schema=SCHEMA)
    for asked, form in ((request(), None), (structured, json.loads(SCHEMA))):
        assert form_of(provider.use(server, lambda client, asked=asked: client.batch_line("k", asked))) == form
    assert provider.ask(server, structured).finish_reason == "stop"


def test_a_schema_is_part_of_what_is_asked():
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
def test_a_structured_passage_is_unwrapped(text, passage, reason):
    reply = Reply("q", "why?", 0, text, "stop", 1, 1, "m", {}, (Message("user", "x"),))
    reading = read_passage(reply, Quality(min_words=5))
    assert (reading.text, reading.reason) == (passage, reason)
