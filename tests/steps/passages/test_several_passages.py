"""Several passages per query: requests in rounds until there are enough different passages, and their ids."""

import json

import pytest
from held_out_case import exclude

from synthrank.config.reply_schemas import SCHEMA_OF
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Dropped, Message, Query, Reply, Request, WrittenPassage
from synthrank.steps.passages import generate_passages as module
from synthrank.steps.passages.filter_passages import filter_passages
from synthrank.steps.passages.generate_passages import generate_passages
from synthrank.steps.passages.write_requests import write_requests

LEVELS = '{{"passages": [{{"level": 2, "text": "two {0} a b c."}}, {{"level": 0, "text": "nil {0} d e f."}}]}}'


class Fake:
    """Answers from a script with the replies per query, by request."""

    def __init__(self, script):
        self.script, self.batches = script, []

    def generate(self, requests):
        self.batches.append([(request.query_id, request.sample) for request in requests])
        for request in reversed(requests):  # replies in another order
            text = self.script[request.query_id][request.sample]
            yield Reply(request.query_id, f"{request.query_id}?", request.sample, text, "stop", 1, 1, "m", {}, ())


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Return a function that generates by a script, filters, and returns (batches, passages, dropped, counts)."""

    def do(script, spec):
        llm = Fake(script)
        monkeypatch.setattr(module, "open_stored", lambda spec, model: llm)
        requests = [Request(name, f"{name}?", (Message("user", name),)) for name in script]
        write_jsonl(tmp_path / "requests.jsonl", requests)
        (tmp_path / "p.yaml").write_text(json.dumps({"prompt": "p", **spec}))
        (tmp_path / "llm.yaml").write_text("backend: echo\n")
        generate_passages(requests=tmp_path / "requests.jsonl", paradigm=tmp_path / "p.yaml",
                          llm=tmp_path / "llm.yaml", model=[], generation_draw=0, shard="1-of-1",
                          replies=tmp_path / "replies.jsonl")  # fmt: skip
        filter_passages(requests=tmp_path / "requests.jsonl", replies=tmp_path / "replies.jsonl",
                        paradigm=tmp_path / "p.yaml", passages=tmp_path / "passages.jsonl",
                        dropped=tmp_path / "dropped.jsonl", counts=tmp_path / "counts.json")  # fmt: skip
        return (
            llm.batches,
            list(read_jsonl(tmp_path / "passages.jsonl", WrittenPassage)),
            list(read_jsonl(tmp_path / "dropped.jsonl", Dropped)),
            json.loads((tmp_path / "counts.json").read_text()),
        )

    return do


def several(passages, attempts=1):
    return {"kind": "generated", "passages": passages, "quality": {"min_words": 3, "attempts": attempts}}


def test_generate_passages_requests_only_missing_passages(make):
    script = {
        "a": ["one a x.", "two a x.", "three a x."],
        "b": ["one b x.", "ONE B x.", "", "two b x.", "three b x."],
        "c": ["", "", "", "", "", "late c x."],
    }
    batches, found, dropped, counts = make(script, several(3, attempts=2))
    assert batches == [
        [(name, sample) for name in "abc" for sample in range(3)],
        [("b", 3), ("b", 4), ("c", 3), ("c", 4), ("c", 5)],
    ]
    assert [(item.id, item.text) for item in found] == [
        ("a@p", "one a x."), ("a@p@2", "two a x."), ("a@p@3", "three a x."),
        ("b@p", "one b x."), ("b@p@2", "two b x."), ("b@p@3", "three b x."), ("c@p", "late c x."),
    ]  # fmt: skip
    assert all(item.grade == 1 and item.query == f"{item.query_id}?" for item in found)
    assert dropped[0] == Dropped("b", 1, "duplicate", "ONE B x.")
    assert (counts["queries"], counts["passages"], counts["queries_with_fewer"]) == (3, 7, 1)
    assert counts["replies"] == 14 == len(dropped) + 7


def test_generate_passages_limits_the_attempts_per_passage(make):
    script = {"a": ["same text here."] * 6, "b": ["one b x.", "two b x."]}
    batches, found, _, counts = make(script, several(2, attempts=3))
    assert [len(batch) for batch in batches] == [4, 1, 1, 1, 1]
    assert batches[-1] == [("a", 5)]
    assert [item.id for item in found] == ["a@p", "b@p", "b@p@2"]
    assert counts["dropped"]["duplicate"] == 5


def test_counts_of_one_passage_per_query_have_no_queries_with_fewer(make):
    _, found, _, counts = make({"a": ["one a x."], "b": ["one b x."]}, several(1))
    assert [item.id for item in found] == ["a@p", "b@p"]
    assert list(counts) == [
        "queries", "replies", "passages", "queries_without_passage", "dropped", "repaired", "finish_reasons",
    ]  # fmt: skip
    assert list(counts["dropped"]) == [
        "blocked", "thought", "malformed", "empty", "refusal", "meta", "truncated", "too-short", "duplicate",
    ]  # fmt: skip


def test_filter_passages_keeps_only_replies_with_all_levels(make):
    script = {
        "a": [LEVELS.format("a")],
        "b": [LEVELS.format("b").replace('"level": 0', '"level": 1'), LEVELS.format("b")],
        "c": [LEVELS.format("c").replace("nil c d e f.", "nil."), "no levels here at all"],
        "d": [LEVELS.format("x").replace("two x", "two a"), LEVELS.format("d")],  # one text is also in a
    }
    spec = {"kind": "graded", "levels": [2, 0], "quality": {"min_words": 3, "attempts": 2}}
    batches, found, dropped, counts = make(script, spec)
    assert batches == [[(name, 0) for name in "abcd"], [("b", 1), ("c", 1)]]
    assert found == [
        WrittenPassage("a@p@2", "two a a b c.", "a", "a?", 2), WrittenPassage("a@p@0", "nil a d e f.", "a", "a?", 0),
        WrittenPassage("b@p@2", "two b a b c.", "b", "b?", 2), WrittenPassage("b@p@0", "nil b d e f.", "b", "b?", 0),
    ]  # fmt: skip
    assert [(item.query_id, item.reason) for item in dropped] == [
        ("b", "missing-level"), ("c", "too-short"), ("d", "duplicate"), ("c", "malformed"),
    ]  # fmt: skip
    assert counts["missing_levels"] == {"2": 0, "0": 1}
    assert (counts["queries_without_passage"], counts["passages"]) == (2, 4)
    assert "queries_with_fewer" not in counts


def test_the_committed_graded_prompt_lists_the_levels(tmp_path, config):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "empty.jsonl").write_text("")
    write_jsonl(tmp_path / "queries.jsonl", [Query("q", "how long do bees live?")])
    write_requests(
        paradigm=config / "paradigms/graded.yaml", prompt=config / "prompts/passage-graded.md",
        corpus=config / "corpora/python-faq.yaml",
        passages=tmp_path / "empty.jsonl", queries=tmp_path / "queries.jsonl", qrels=tmp_path / "empty.txt",
        excluded=exclude(tmp_path), exemplar_draw=0, requests=tmp_path / "requests.jsonl",
        exemplars=tmp_path / "exemplars.jsonl", examples=tmp_path / "examples.md",
    )  # fmt: skip
    (request,) = read_jsonl(tmp_path / "requests.jsonl", Request)
    assert "how long do bees live?" in request.messages[-1].content
    assert "levels of relevance: 3, 2, 1, 0." in request.messages[-1].content
    assert request.schema == SCHEMA_OF["graded"]
