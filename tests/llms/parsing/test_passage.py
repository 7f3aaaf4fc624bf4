"""Reading replies as passages: repairs, unusable replies and ordinary prose."""

import pytest

from synthrank.config.paradigms import Quality
from synthrank.data.records import Message, Reply
from synthrank.llms.parsing.passage import REASONS, Reading, read_passage

FIVE = Quality(min_words=5)
PROSE = "The spider stores each page once."


def read(text, finish="stop", quality=FIVE):
    return read_passage(Reply("q", "why?", 0, text, finish, 1, 1, "m", {}, (Message("user", "x"),)), quality)


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "This is how the spider stores a page: once.",
        "This is why the text of a page: title first, body second, is kept.",
        "This is an example of a settings file: every name in it is upper case.",
        "The following is an example of use: call run twice, then close.",
        "The following settings change the passage of data: retries, delays, limits.",
        "Sure enough, the server restarts by itself.",
        "Make sure that the passage is closed: a leak costs memory.",
        "Surely the answer: it depends on the cache.",
        "Here are the steps that a reader takes: open, read, close.",
        "Of course the text may be longer than that.",
        "Certainly. The cache is cleared at every start.",
        "Answers are kept in the cache: they expire after an hour.",
        "Questions: none remain once the answer is known.",
        "The server handles this request and closes the connection.",
        "Your request is then scheduled by the engine.",
        "As an aircraft flies, its wings bend upwards.",
        "As a language, Python is read from top to bottom.",
        "Sorry states arise when a lock is lost.",
        "Unfortunately, it cannot be undone at all.",
        "I/O errors are raised at the next write.",
    ],
)
def test_read_passage_keeps_ordinary_prose(text):
    assert read(text) == Reading(text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I cannot help with that request today.",
        "I’m sorry, but I cannot help with that.",  # noqa: RUF001
        "I am sorry, I have no answer to this.",
        "Sorry, I do not know the answer to that.",
        "I apologize, but the question is not clear to me.",
        "i cannot answer questions about that project at all.",
        "I can't answer questions about that project at all.",
        "I am unable to answer questions about that project.",
        "I'm not able to answer questions about that project.",
        "As an AI, I have no access to the documentation.",
        "As a large language model, I have no access to it.",
        "As a language model, I have no access to documentation.",
        "  Unfortunately, I have no knowledge of the project in question.",
    ],
)
def test_read_passage_detects_refusals(text):
    assert read(text).reason == "refusal"


@pytest.mark.parametrize(
    "preface",
    [
        "Here is a passage that answers the question:\n\n",
        "Here's a short passage:\n",
        "Here is the passage: ",
        "Sure! Here is a passage that answers your question:\n",
        "Sure, here is a passage about it:\n\n",
        "Certainly! Below is an answer in two sentences:\n",
        "Of course. The following is a passage for the question: ",
        "This is a possible answer to it: ",
        "Passage: ",
        "passage:\n",
        "Answer: ",
        "Question: How are pages stored? Passage: ",
        "Question: How are pages stored?\nAnswer:\n",
    ],
)
def test_read_passage_removes_and_notes_prefaces(preface):
    assert read(preface + PROSE) == Reading(PROSE, "", ("preface",))


@pytest.mark.parametrize(
    "text",
    [
        "This passage explains how the spider stores each page.",
        "The spider stores pages. I hope this passage answers it.",
        "The above question is about spiders and their pages.",
        "Your question is about spiders and the way they store.",
        "As requested, the spider stores every page just once.",
        "The spider stores pages, as per your request, just once.",
        "You write passages for a search collection of spiders.",
        "You write passages that answer search queries on spiders.",
        "Write one new passage on spiders and how they store pages.",
        "It is a passage of about 60 words on spiders and pages.",
        "Sure! Here is a passage: this prompt asks for spiders and pages.",
    ],
)
def test_read_passage_detects_text_about_the_task(text):
    assert read(text).reason == "meta"


@pytest.mark.parametrize(
    ("text", "finish", "expected"),
    [
        ("One two three four five. Six sev", "length", Reading("One two three four five.", "", ("cut-to-sentence",))),
        ('He wrote "one two three." And', "length", Reading('He wrote "one two three."', "", ("cut-to-sentence",))),
        ("Is it so? Yes it is! Use v3.11 no", "length", Reading("Is it so? Yes it is!", "", ("cut-to-sentence",))),
        ("One two three four five.", "length", Reading("One two three four five.")),
        ("One two three four five six", "length", Reading("One two three four five six", "truncated")),
        ("One two three. Four five six sev", "length", Reading("One two three.", "too-short")),
        ("One two three four five six", "stop", Reading("One two three four five six")),
        ("Passage: One two three four five. Six", "length",
            Reading("One two three four five.", "", ("preface", "cut-to-sentence"))),
    ],
)  # fmt: skip
def test_read_passage_cuts_a_truncated_reply_after_its_last_sentence(text, finish, expected):
    assert read(text, finish) == expected


@pytest.mark.parametrize("text", ["", "  ", "\n\t\n"])
def test_read_passage_of_an_empty_reply_is_empty(text):
    assert read(text, "length") == Reading("", "empty")


def test_read_passage_strips_white_space_quotes_and_emphasis():
    assert read('"One  two\n\nthree\tfour five."') == Reading("One two three four five.")
    assert read("**One two `three` four five**").text == "One two `three` four five"


def test_read_passage_drops_passages_below_min_words():
    assert read("One two three four.").reason == "too-short"
    assert read("One two three four five.").reason == ""
    assert read("One.", quality=Quality(min_words=1)).reason == ""
    assert read("Here is a passage:").reason == "too-short"


def test_reasons_lists_every_reason():
    found = {read(text, finish).reason for text, finish in [
        ("", "stop"), ("I cannot do that for you.", "stop"), ("This passage is meta.", "stop"),
        ("one two three", "length"), ("one", "stop"), ("", "blocked"), ("{}", "stop"),
    ]}  # fmt: skip
    assert found == set(REASONS) - {"duplicate", "thought"}
