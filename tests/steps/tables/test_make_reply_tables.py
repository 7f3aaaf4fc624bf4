"""The tables of costs and of replies, from the replies that were to be passages and those that were to be queries."""

import csv

import pytest

from synthrank.data.files import write_jsonl
from synthrank.data.records import Message, Reply, Request
from synthrank.steps.tables.make_reply_tables import make_reply_tables

LLM = """backend: openai
model: toy
key_variable: TOY_KEY
price: {listed: 2026-01-01, input: 10, cached_input: 5, output: 100}
sampling: {max_new_tokens: 50}
"""
TURN = (Message("user", "x" * 144),)
"""A prompt of about 40 tokens."""

PASSAGE = "Water the tulip every two days in summer, and less in winter, when it rests in its bed of dry sand."


def reply(name, text, finish="stop"):
    return Reply(
        name, "why", 0, text, finish, 30, 7, "toy", {}, TURN, snapshot="toy-1", tokens_cached=10, attempts=2,
        price_usd=0.25,
    )  # fmt: skip


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def tables(tmp_path):
    """Return the rows of both tables for two draws of passages and one augmentation, by one hosted LLM."""
    files = {"llm": "llms/toy.yaml", "paradigm": "paradigms/plain.yaml", "augmentation": "augmentations/asked.yaml"}
    texts = {
        "llm": LLM,
        "paradigm": "kind: generated\nprompt: passage-plain\npassages: 2\n",
        "augmentation": "kind: llm-query\nprompt: query-plain\nllm: toy\ncount: 4\nper_passage: 2\n",
    }
    paths = {key: tmp_path / "config" / name for key, name in files.items()}
    for key, path in paths.items():
        path.parent.mkdir(parents=True)
        path.write_text(texts[key])
    replies, requests = [], []
    for draw in (1, 2):
        folder = tmp_path / f"results/passages/gardens/plain/draw-{draw}"
        requests.append(folder / "requests.jsonl")
        replies.append(folder / "toy/replies.jsonl")
        write_jsonl(requests[-1], [Request("q1", "why", TURN)])
        write_jsonl(replies[-1], [reply("q1", PASSAGE), reply("q1", "I'm sorry, no.")])
    asked = tmp_path / "results/queries/gardens/asked/replies.jsonl"
    write_jsonl(
        asked,
        [
            reply("p1", "how to water"),
            reply("p2", "1. why\n2. when\n1. why"),
            reply("p3", ""),
            reply("p4", "a", "length"),
        ],
    )
    outputs = [tmp_path / "results/tables" / name for name in ("cost.csv", "replies.csv")]
    make_reply_tables(
        replies=replies, requests=requests, paradigms=[paths["paradigm"]] * 2, llms=[paths["llm"]] * 2,
        query_replies=[asked], augmentations=[paths["augmentation"]], query_llms=[paths["llm"]],
        cost=outputs[0], counts=outputs[1],
    )  # fmt: skip
    return tuple(map(read, outputs))


def test_both_tables_have_a_row_of_each_kind(tables):
    for rows in tables:
        assert [[row[key] for key in ("corpus", "kind", "paradigm", "llm", "draws")] for row in rows] == [
            ["gardens", "passages", "plain", "toy", "2"],
            ["gardens", "queries", "asked", "toy", "1"],
        ]


def test_costs_are_counted_and_estimated_by_what_a_reply_of_the_kind_needs(tables):
    passages, queries = tables[0]
    counted = ("requests", "replies", "tokens_in", "tokens_cached", "tokens_out", "actual_usd", "attempts")
    assert [passages[key] for key in counted] == ["2", "4", "120", "40", "28", "1.0", "8"]
    assert [queries[key] for key in counted] == ["4", "4", "120", "40", "28", "1.0", "8"]
    # Two passages for each of two requests, each reply 60 % of 50 tokens; two queries have 40 tokens per reply.
    assert float(passages["estimated_usd"]) == pytest.approx(4 * (40 * 10 + 30 * 100) / 1e6)
    assert float(queries["estimated_usd"]) == pytest.approx(4 * (40 * 10 + 40 * 100) / 1e6)


def test_replies_are_counted_by_how_they_could_be_read(tables):
    passages, queries = tables[1]
    found = ("prompt", "snapshot", "replies", "well-formed", "repaired", "malformed", "refused", "truncated", "blocked")
    assert [passages[key] for key in found] == ["passage-plain", "toy-1", "4", "2", "0", "0", "2", "0", "0"]
    assert [queries[key] for key in found] == ["query-plain", "toy-1", "4", "1", "1", "1", "0", "1", "0"]
