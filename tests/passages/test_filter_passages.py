"""Filtering: nothing is lost without being counted."""

import json
import random

import pytest

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.passages.filter_passages import filter_passages
from synthrank.reading.passage import REASONS
from synthrank.records import Dropped, Reply, WrittenPassage

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
    (tmp_path / "zero-shot.yaml").write_text("kind: generated\nprompt: p\nquality: {min_words: 5}\n")

    def do(replies):
        write_jsonl(tmp_path / "replies.jsonl", replies)
        filter_passages(replies=tmp_path / "replies.jsonl", paradigm=tmp_path / "zero-shot.yaml",
                        passages=tmp_path / "passages.jsonl", dropped=tmp_path / "dropped.jsonl",
                        counts=tmp_path / "counts.json")  # fmt: skip
        return (
            list(read_jsonl(tmp_path / "passages.jsonl", WrittenPassage)),
            list(read_jsonl(tmp_path / "dropped.jsonl", Dropped)),
            json.loads((tmp_path / "counts.json").read_text()),
        )

    return do


def test_a_small_case_worked_out_by_hand(sift):
    kept, dropped, counts = sift([
        reply("a", 0, "Passage: One two three four five. Six", "length"),
        reply("b", 0, "I cannot do that."),
        reply("c", 0, "one two three four five."),  # a's passage, word for word but for a capital
        reply("d", 0, ""),
        reply("b", 1, "seven eight nine ten eleven."),
        reply("c", 1, "six five four three two one."),
        reply("b", 2, "another five words for it."),
    ])  # fmt: skip
    assert kept == [
        WrittenPassage("a@zero-shot", "One two three four five.", "a", "a?", 1),
        WrittenPassage("b@zero-shot", "seven eight nine ten eleven.", "b", "b?", 1),
        WrittenPassage("c@zero-shot", "six five four three two one.", "c", "c?", 1),
    ]
    assert dropped == [
        Dropped("b", 0, "refusal", "I cannot do that."),
        Dropped("c", 0, "duplicate", "one two three four five."),
        Dropped("d", 0, "empty", ""),
        Dropped("b", 2, "not-needed", "another five words for it."),
    ]
    assert counts == {
        "queries": 4, "replies": 7, "passages": 3, "queries_without_passage": 1,
        "dropped": {"blocked": 0, "malformed": 0, "empty": 1, "refusal": 1, "meta": 0, "truncated": 0,
                    "too-short": 0, "duplicate": 1,
                    "not-needed": 1},
        "repaired": {"cut-to-sentence": 1, "preface": 1},
        "finish_reasons": {"length": 1, "stop": 6},
    }  # fmt: skip


def test_counts_add_up_on_random_replies(sift):
    generator = random.Random(3)
    for _ in range(20):
        replies = []
        for number in range(30):
            kind = generator.choice(["good", *TEXTS])
            text = TEXTS[kind].format(generator.randrange(12))
            replies.append(reply(f"q{number % 20}", number // 20, text, "length" if kind == "truncated" else "stop"))
        kept, dropped, counts = sift(replies)
        assert (
            counts["replies"] == 30 == len(kept) + len(dropped) == counts["passages"] + sum(counts["dropped"].values())
        )
        assert counts["queries"] == 20 == counts["passages"] + counts["queries_without_passage"]
        assert set(counts["dropped"]) == {*REASONS, "not-needed"}
        assert len({item.text.lower() for item in kept}) == len({item.query_id for item in kept}) == len(kept)
        assert sum(counts["finish_reasons"].values()) == 30
        assert {(item.query_id, item.text) for item in dropped} <= {(item.query_id, item.text) for item in replies}


def test_no_passage_at_all_is_an_error(sift, tmp_path):
    with pytest.raises(BudgetError) as error:
        sift([reply("a", 0, ""), reply("b", 0, "I cannot help with that."), reply("c", 0, "")])
    assert str(error.value) == (
        f"{tmp_path}/replies.jsonl: none of 3 replies is a passage (2 empty, 1 refusal); change "
        f"prompt or quality of {tmp_path}/zero-shot.yaml"
    )
    assert not (tmp_path / "passages.jsonl").exists()
