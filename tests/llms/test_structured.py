"""Structured replies: asked for in each provider's own form, live and by batch, and read back."""

import asyncio
import json
from dataclasses import replace

import pytest
from provider_server import ProviderServer
from provider_specs import KEY, gemini_spec, openai_spec, request

from synthrank.llms.base import request_key
from synthrank.llms.gemini_client import GeminiClient
from synthrank.llms.openai_client import OpenAiClient
from synthrank.reading.passage import read_passage
from synthrank.reading.schemas import SCHEMA_OF
from synthrank.records import Message, Reply
from synthrank.specs.paradigms import Quality

SCHEMA = SCHEMA_OF["passage"]
CASES = [(openai_spec, OpenAiClient), (gemini_spec, GeminiClient)]


def form_of(line):
    """Return the schema that a line of a batch asks for, wherever its provider has it."""
    if "body" in line:
        return line["body"].get("response_format", {}).get("json_schema", {}).get("schema")
    return line["request"]["generationConfig"].get("responseJsonSchema")


@pytest.mark.parametrize(("spec", "client"), CASES)
def test_a_schema_is_asked_for_only_where_the_request_has_one(spec, client):
    with ProviderServer() as server:
        opened = client(spec(server.url), KEY)
        assert form_of(opened.batch_line("k", request())) is None
        structured = replace(request(), schema=SCHEMA)
        assert form_of(opened.batch_line("k", structured)) == json.loads(SCHEMA)

        async def ask():
            try:
                return await opened.ask(structured)
            finally:
                await opened.close()

        assert asyncio.run(ask()).finish_reason == "stop"


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
