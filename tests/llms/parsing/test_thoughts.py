"""Thoughts of reasoning models are separated from answers, for passages, levels, queries, rankings and choices."""

import json

import pytest

from synthrank.config.paradigms import Quality
from synthrank.data.records import Ask, Pool, Pooled, Reply
from synthrank.llms.parsing.choice import read_choice
from synthrank.llms.parsing.graded import read_graded
from synthrank.llms.parsing.passage import read_passage
from synthrank.llms.parsing.queries import read_query_reply
from synthrank.llms.parsing.ranking import read_ranking
from synthrank.llms.parsing.status import Status
from synthrank.llms.parsing.thoughts import find_started, read_answer
from synthrank.llms.reranking.askers import TextAsker
from synthrank.llms.reranking.questions import Question

IDEA = "Okay, bees. From the least to the most relevant: 4, 3, 2, 1.\nLevel 1: what?\nSo B is best."
FORMS = [
    "<think>\n{}\n</think>\n\n",
    "{}\n</think>\n\n",
    "<thinking>{}</thinking>",
    "<THINK>{}</THINK>\n",
    "<thought>\n{}\n</thought>\n",
    "<reasoning>{}</reasoning>\n<answer>\n",
    "<seed:think>{}</seed:think>",
    "[THINK]{}[/THINK]",
    "◁think▷{}◁/think▷",
    "<|begin_of_thought|>{}<|end_of_thought|><|begin_of_solution|>",
    "<|START_THINKING|>{}<|END_THINKING|><|START_RESPONSE|>",
    "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|channel>thought\n{}<channel|>",
    "analysis{}assistantfinal",
    "Here is my thought process: {} Here is my response: ",
    "<think></think>",
    "<think>a</think><think>{}</think>",
    "<think>a <think>b</think> {}</think>",
    "Sure! <think>{}</think>",
]
forms = pytest.mark.parametrize("form", FORMS)


def reply(text, finish="stop", **more):
    return Reply("q", "how?", 0, text, finish, 1, 1, "m", {}, (), **more)


def ask(text, finish="stop", read=read_ranking, count=4, **more):
    names = "abcd"[:count]
    pool = Pool("q", "how?", tuple(Pooled(name, {}) for name in names))
    asker = TextAsker(None, {}, read)
    return asker.read(Question(pool, tuple(range(count)), 0), [reply(text, finish, **more)])


@forms
def test_read_passage_removes_and_counts_a_thought(form):
    read = read_passage(reply(form.format(IDEA) + "Bees live for six weeks."), Quality(min_words=3))
    text = "Sure! Bees live for six weeks." if form.startswith("Sure") else "Bees live for six weeks."
    assert (read.text, read.reason, read.repaired) == (text, "", ("thought",))


@pytest.mark.parametrize("phrase", ["Here is my response:", "...done thinking."])
def test_read_passage_keeps_words_that_end_no_thought(phrase):
    text = f"Bees live for six weeks. {phrase} They sleep at night."
    read = read_passage(reply(text), Quality(min_words=3))
    assert (read.text, read.reason, read.repaired) == (text, "", ())


@forms
def test_read_graded_removes_and_counts_a_thought(form):
    rows = [{"level": 1, "text": "Bees live six weeks."}, {"level": 0, "text": "A bee is a contest."}]
    for body in ("Level 1: Bees live six weeks.\nLevel 0: A bee is a contest.", json.dumps(rows)):
        if form.startswith("Sure") and body.startswith("["):
            continue
        read = read_graded(reply(form.format(IDEA) + body), (1, 0), Quality(min_words=3))
        assert read.passages == ((1, "Bees live six weeks."), (0, "A bee is a contest."))
        assert read.repaired[0] == "thought"


@forms
def test_read_query_reply_removes_and_counts_a_thought(form):
    read = read_query_reply(reply(form.format(IDEA) + "how long do bees live"))
    assert read.value[-1] == "how long do bees live"
    assert (read.status, read.notes[0]) == (Status.REPAIRED, "thought")
    assert len(read.value) == 1 + form.startswith("Sure")


@forms
def test_a_ranking_is_not_turned_by_a_thought(form):
    read, record, _ = ask(form.format(IDEA) + "[2] > [1] > [3] > [4]")
    assert (read.value, record.status, record.notes[0]) == ([1, 0, 2, 3], Status.REPAIRED, "thought")
    assert isinstance(record, Ask)
    assert record.text.endswith("[4]"), "the record has the unchanged reply"


@forms
def test_a_choice_is_not_read_in_a_thought(form):
    assert ask(form.removeprefix("Sure! ").format(IDEA) + "A", read=read_choice, count=3).read.value == 0


@pytest.mark.parametrize(
    ("text", "finish", "more"),
    [
        (f"<think>\n{IDEA}", "length", {}),
        (f"<|channel|>analysis<|message|>{IDEA}", "length", {}),
        (f"<think>{IDEA}</think>", "stop", {}),
        ("", "length", {"thought": IDEA}),
        ("", "length", {"tokens_thought": 64}),
    ],
)
def test_a_reply_of_a_thought_only_is_dropped_for_this_reason(text, finish, more):
    asked = reply(text, finish, **more)
    assert read_passage(asked, Quality(min_words=1)).reason == "thought"
    assert read_graded(asked, (1, 0), Quality(min_words=1)).reason == "thought"
    queries = read_query_reply(asked)
    assert (queries.value, queries.status, queries.notes) == (None, Status.TRUNCATED, ("thought",))
    assert ask(text, finish, **more).read.value is None


def test_a_thought_in_a_separate_field_is_counted():
    assert read_passage(reply("Bees live long.", thought=IDEA), Quality(min_words=3)).repaired == ("thought",)
    assert ask("[2] > [1] > [3] > [4]", thought=IDEA).ask.notes == ("thought",)


@pytest.mark.parametrize(
    "text",
    [
        'In a template, "<think>" starts a thought.',
        "Write `</think>` at the end of a thought.",
        "I think < 3 and > 2 are rethinking.",
        "The analysis shows a final result.",
        "<thinker> is no mark, nor is <b>bold</b>.",
    ],
)
def test_read_answer_keeps_text_that_only_mentions_marks(text):
    assert read_answer(reply(text)) == read_answer(reply(text)).__class__(text)


def test_read_passage_removes_a_thought_from_a_structured_reply():
    text = json.dumps({"passage": f"<think>{IDEA}</think>Bees live long."})
    read = read_passage(reply(text), Quality(min_words=3))
    assert (read.text, read.repaired) == ("Bees live long.", ("thought",))


def test_read_answer_removes_and_counts_unreadable_characters():
    assert read_answer(reply("bees\ud83c and\x00 ants")).text == "bees and ants"
    assert read_passage(reply("Bees live\ufffd long."), Quality(min_words=3)).repaired == ("unreadable",)


@pytest.mark.parametrize("text", [None, 42, [{"type": "text", "text": "Bees live long."}], {"text": "Bees"}, ["a", 3]])
def test_readers_accept_texts_of_any_type(text):
    read_passage(reply(text), Quality())
    read_graded(reply(text), (1, 0), Quality())
    read_query_reply(reply(text))
    ask(text)


def test_find_started_returns_the_mark_at_the_end_of_a_prompt():
    assert find_started("<|im_start|>assistant\n<think>\n") == "<think>\n"
    assert find_started("assistant\n<think>\n\n</think>\n\n") == ""
    assert find_started("assistant\n") == ""
