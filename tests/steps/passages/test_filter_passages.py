"""Filtering of replies: every dropped reply is counted."""

import json
import random

import pytest
from yaml import safe_load

from synthrank.config.base import validate
from synthrank.config.paradigms import ParadigmSpec
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Dropped, Reply, Request, WrittenPassage
from synthrank.errors import BudgetError, ShardError
from synthrank.llms.parsing.passage import REASONS
from synthrank.llms.parsing.written import Rounds
from synthrank.steps.passages.filter_passages import filter_passages

SPEC = "kind: generated\nprompt: p\nquality: {min_words: 5, attempts: 2}\n"

TEXTS = {
    "good": "one two three four five {}.",
    "refusal": "I cannot do that for you.",
    "empty": " ",
    "meta": "This passage is about a thing {}.",
    "truncated": "one two three four five {}",
    "too-short": "one {}.",
}


def reply(query, sample, text, finish="stop"):
    return Reply(query, f"{query}?", sample, text, finish, 1, 1, "m", {}, ())


@pytest.fixture
def sift(tmp_path):
    (tmp_path / "zero-shot.yaml").write_text(SPEC)

    def do(replies, names=None):
        names = names or dict.fromkeys(reply.query_id for reply in replies)
        write_jsonl(tmp_path / "requests.jsonl", (Request(name, f"{name}?", ()) for name in names))
        write_jsonl(tmp_path / "replies.jsonl", replies)
        filter_passages(requests=tmp_path / "requests.jsonl", replies=tmp_path / "replies.jsonl",
                        paradigm=tmp_path / "zero-shot.yaml", passages=tmp_path / "passages.jsonl",
                        dropped=tmp_path / "dropped.jsonl", counts=tmp_path / "counts.json")  # fmt: skip
        return (
            list(read_jsonl(tmp_path / "passages.jsonl", WrittenPassage)),
            list(read_jsonl(tmp_path / "dropped.jsonl", Dropped)),
            json.loads((tmp_path / "counts.json").read_text()),
        )

    return do


def test_filter_passages_of_a_small_case(sift):
    kept, dropped, counts = sift([
        reply("a", 0, "Passage: One two three four five. Six", "length"),
        reply("b", 0, "I cannot do that."),
        reply("c", 0, "one two three four five."),  # the passage of a, except for a capital letter
        reply("d", 0, ""),
        reply("b", 1, "seven eight nine ten eleven."),
        reply("d", 1, "six five four three two one."),
    ])  # fmt: skip
    assert kept == [
        WrittenPassage("a@zero-shot", "One two three four five.", "a", "a?", 1),
        WrittenPassage("b@zero-shot", "seven eight nine ten eleven.", "b", "b?", 1),
        WrittenPassage("d@zero-shot", "six five four three two one.", "d", "d?", 1),
    ]
    assert dropped == [
        Dropped("b", 0, "refusal", "I cannot do that."),
        Dropped("c", 0, "duplicate", "one two three four five."),
        Dropped("d", 0, "empty", ""),
    ]
    assert counts == {
        "queries": 4, "replies": 6, "passages": 3, "queries_without_passage": 1,
        "dropped": {"blocked": 0, "thought": 0, "malformed": 0, "empty": 1, "refusal": 1, "meta": 0, "truncated": 0,
                    "too-short": 0, "duplicate": 1},
        "repaired": {"cut-to-sentence": 1, "preface": 1},
        "finish_reasons": {"length": 1, "stop": 5},
    }  # fmt: skip


def test_filter_passages_counts_add_up_on_random_replies(sift):
    generator = random.Random(3)
    for _ in range(20):
        replies, rounds = (
            [],
            Rounds([f"q{number}" for number in range(20)], validate(ParadigmSpec, safe_load(SPEC), "")),
        )
        while asks := rounds.asks():
            for name, sample in asks:
                kind = generator.choice(["good", *TEXTS])
                text = TEXTS[kind].format(generator.randrange(12))
                replies.append(reply(name, sample, text, "length" if kind == "truncated" else "stop"))
                rounds.take(replies[-1])
        kept, dropped, counts = sift(replies)
        assert counts["replies"] == len(replies) == len(kept) + len(dropped) > 20
        assert len(dropped) == sum(counts["dropped"].values())
        assert counts["passages"] == len(kept)
        assert counts["queries"] == 20 == counts["passages"] + counts["queries_without_passage"]
        assert set(counts["dropped"]) == set(REASONS)
        assert len({item.text.lower() for item in kept}) == len({item.query_id for item in kept}) == len(kept)
        assert sum(counts["finish_reasons"].values()) == len(replies)
        assert {(item.query_id, item.text) for item in dropped} <= {(item.query_id, item.text) for item in replies}


def test_filter_passages_without_any_usable_reply_is_an_error(sift, tmp_path):
    unusable = {"a": "", "b": "I cannot help with that.", "c": ""}
    with pytest.raises(BudgetError) as error:
        sift([reply(name, sample, text) for sample in (0, 1) for name, text in unusable.items()])
    assert str(error.value) == (
        f"{tmp_path}/replies.jsonl: no usable reply to prompt p among 6 (4 empty, 2 refusal); the LLM "
        "returns no text: check its file and the server"
    )
    assert not (tmp_path / "passages.jsonl").exists()


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        ("ab", "reply 1 to query b is missing"),
        ("abc", "reply 0 to query c is missing"),
        ("ba", "reply 0 to query b is missing"),
        ("ax", "reply 0 to query x is missing"),
        ("a", "more than the 1 expected replies"),
    ],
)
def test_filter_passages_refuses_missing_and_other_replies(sift, tmp_path, names, wrong):
    with pytest.raises(ShardError) as error:
        sift([reply("a", 0, "one two three four five."), reply("b", 0, "")], names)
    assert str(error.value) == f"{tmp_path}/replies.jsonl: {wrong}; delete the file and run again"
    assert not (tmp_path / "passages.jsonl").exists()
