"""Generation of passages: each request once, unusable replies again, and every reply kept."""

import pytest

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Message, Reply, Request
from synthrank.steps.passages import generate_passages as module
from synthrank.steps.passages.generate_passages import generate_passages

GOOD = "one two three four five six seven."


class Fake:
    """Answers from a script with the replies per query, by attempt."""

    def __init__(self, script):
        self.script, self.batches = script, []

    def generate(self, requests):
        self.batches.append([(request.query_id, request.sample) for request in requests])
        for request in requests:
            text = self.script[request.query_id][request.sample]
            yield Reply(request.query_id, request.query, request.sample, text, "stop", 3, 7, "fake", {"seed": 1},
                        request.messages)  # fmt: skip


def requests(names):
    return [Request(name, f"{name}?", (Message("user", name),), ("e1",)) for name in names]


@pytest.fixture
def ask(tmp_path, monkeypatch):
    def do(script, attempts):
        llm = Fake(script)
        monkeypatch.setattr(module, "open_stored", lambda spec, model: llm)
        write_jsonl(tmp_path / "requests.jsonl", requests(script))
        (tmp_path / "p.yaml").write_text(
            f"kind: generated\nprompt: p\nquality: {{min_words: 5, attempts: {attempts}}}\n"
        )
        (tmp_path / "llm.yaml").write_text("backend: echo\n")
        generate_passages(requests=tmp_path / "requests.jsonl", paradigm=tmp_path / "p.yaml",
                          llm=tmp_path / "llm.yaml", model=[], generation_draw=0, shard="1-of-1",
                          replies=tmp_path / "replies.jsonl")  # fmt: skip
        return llm.batches, list(read_jsonl(tmp_path / "replies.jsonl", Reply))

    return do


def test_generate_passages_repeats_only_unusable_replies(ask):
    script = {"a": [GOOD], "b": ["", "I cannot do that.", GOOD], "c": ["short", GOOD]}
    batches, replies = ask(script, 3)
    assert batches == [[("a", 0), ("b", 0), ("c", 0)], [("b", 1), ("c", 1)], [("b", 2)]]
    assert [(reply.query_id, reply.sample, reply.text) for reply in replies] == [
        ("a", 0, GOOD), ("b", 0, ""), ("c", 0, "short"), ("b", 1, "I cannot do that."), ("c", 1, GOOD), ("b", 2, GOOD),
    ]  # fmt: skip
    assert replies[0].messages == (Message("user", "a"),)
    assert replies[0].sampling == {"seed": 1}


def test_generate_passages_limits_the_attempts(ask):
    batches, replies = ask({"a": ["", "", ""]}, 2)
    assert batches == [[("a", 0)], [("a", 1)]]
    assert len(replies) == 2


def test_generate_passages_repeats_nothing_if_all_replies_are_usable(ask):
    assert ask({"a": [GOOD], "b": [GOOD]}, 3)[0] == [[("a", 0), ("b", 0)]]


def test_generate_passages_needs_no_model_folder_for_echo(tmp_path, config):
    write_jsonl(tmp_path / "requests.jsonl", requests(["how do spiders spin", "b"]))
    generate_passages(requests=tmp_path / "requests.jsonl", paradigm=config / "paradigms/zero-shot.yaml",
                      llm=config / "llms/echo.yaml", model=[], generation_draw=0, shard="1-of-1",
                      replies=tmp_path / "replies.jsonl")  # fmt: skip
    replies = list(read_jsonl(tmp_path / "replies.jsonl", Reply))
    assert [(reply.query_id, reply.model, reply.sample) for reply in replies] == [
        ("how do spiders spin", "echo", 0), ("b", "echo", 0),
    ]  # fmt: skip
