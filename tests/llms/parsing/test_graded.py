"""Replies of several levels: split if the levels are clear, unusable if a level is missing or ambiguous."""

import json

import pytest

from synthrank.config.paradigms import Quality
from synthrank.config.reply_schemas import SCHEMA_OF
from synthrank.data.records import Reply
from synthrank.llms.parsing.graded import REASONS, read_graded

LEVELS = (3, 2, 1, 0)
TEXT = {3: "Bees live six weeks.", 2: "Bees work in summer.", 1: "Bees make honey.", 0: "A bee is a contest."}
WHOLE = tuple(TEXT.items())
ROWS = [{"level": level, "text": text} for level, text in WHOLE]


def read(text, finish="stop", min_words=3):
    reply = Reply("q", "how long do bees live?", 0, text, finish, 1, 1, "m", {}, ())
    return read_graded(reply, LEVELS, Quality(min_words=min_words))


@pytest.mark.parametrize(
    "value",
    [
        {"passages": ROWS},
        ROWS,
        {"passages": ROWS[::-1]},
        [{"level": str(row["level"]), "passage": row["text"]} for row in ROWS],
        [{"grade": f"Level {row['level']}", "content": row["text"]} for row in ROWS],
        {f"level_{level}": text for level, text in WHOLE},
        {"passages": {str(level): text for level, text in WHOLE}},
    ],
)
def test_read_graded_accepts_forms_of_json(value):
    read_back = read(json.dumps(value))
    assert (read_back.passages, read_back.reason, read_back.repaired) == (WHOLE, "", ())


def test_read_graded_removes_a_code_fence_and_notes_it():
    assert read(f"```json\n{json.dumps(ROWS)}\n```").repaired == ("code-fence",)


@pytest.mark.parametrize(
    "form",
    [
        "Level {}:\n{}\n\n",
        "Level {}: {}\n",
        "### Level {}\n\n{}\n\n",
        "**Level {}:** {}\n\n",
        "**Level {} (highly relevant):**\n{}\n\n",
        "Level {} - relevant in part:\n{}\n\n",
        "[Level {}] \n{}\n\n",
        "Relevance level {}:\n\n{}\n\n",
        "Relevance: {}\n{}\n\n",
        "grade = {}\n{}\n\n",
        "## Level {} \u2013 on the subject\n{}\n",
    ],
)
def test_read_graded_accepts_forms_of_headings(form):
    read_back = read("".join(form.format(level, text) for level, text in WHOLE))
    assert (read_back.passages, read_back.reason, read_back.repaired) == (WHOLE, "", ())


def test_read_graded_does_not_split_at_levels_within_a_passage():
    text = dict(TEXT) | {2: "Level 1 charging is slow, and\nLevel 3 charging is fast in cars."}
    read_back = read("".join(f"Level {level}:\n{text[level]}\n\n" for level in LEVELS))
    assert read_back.passages[1] == (2, "Level 1 charging is slow, and Level 3 charging is fast in cars.")


def test_read_graded_ignores_and_notes_text_outside_the_levels():
    body = "".join(f"Level {level}:\n{text}\n" for level, text in WHOLE)
    read_back = read(f"Sure, here they are.\n{body}Level 7:\nOne more of them.\n")
    assert (read_back.passages, read_back.repaired) == (WHOLE, ("preface", "outside"))


@pytest.mark.parametrize(
    ("text", "finish", "reason", "missing"),
    [
        ("", "stop", "empty", ()),
        (json.dumps(ROWS), "blocked", "blocked", ()),
        ("I'm sorry, but I cannot write these.", "stop", "refusal", ()),
        ("Bees live six weeks.", "stop", "malformed", ()),
        ("1. Bees live six weeks.\n2. Bees work.\n3. Bees make.\n0. A contest.", "stop", "malformed", ()),
        ('{"passages": "Bees live six weeks."}', "stop", "malformed", ()),
        ('{"passages": [{"level": true, "text": "a b c"}]}', "stop", "malformed", ()),
        ("[1, 2]", "stop", "malformed", ()),
        (json.dumps(ROWS)[:-20], "length", "truncated", ()),
        (json.dumps(ROWS)[:-20], "stop", "malformed", ()),
        (json.dumps(ROWS[:3]), "stop", "missing-level", (0,)),
        (json.dumps([ROWS[0], ROWS[2]]), "stop", "missing-level", (2, 0)),
        ("Level 3: Bees live six weeks.\nLevel 2: Bees wo", "length", "truncated", (1, 0)),
        (json.dumps([*ROWS, ROWS[0]]), "stop", "repeated-level", ()),
        (json.dumps([*ROWS[:3], {"level": 0, "text": "Too short"}]), "stop", "too-short", ()),
        (json.dumps([*ROWS[:3], {"level": 0, "text": " "}]), "stop", "empty", ()),
        (json.dumps([*ROWS[:3], {"level": 0, "text": "This passage is about spelling."}]), "stop", "meta", ()),
        (json.dumps([*ROWS[:3], {"level": 0, "text": "BEES make honey."}]), "stop", "duplicate", ()),
    ],
)
def test_read_graded_returns_the_reason_of_an_unusable_reply(text, finish, reason, missing):
    read_back = read(text, finish)
    assert (read_back.passages, read_back.reason, read_back.missing) == ((), reason, missing)
    assert reason in REASONS


def test_read_graded_cuts_only_the_last_text_to_a_sentence():
    body = "".join(f"Level {level}:\n{text}\n" for level, text in WHOLE[:3])
    read_back = read(f"{body}Level 0:\nA bee is a contest. It is he", "length")
    assert (read_back.passages, read_back.repaired) == (WHOLE, ("cut-to-sentence",))
    assert read(f"{body}Level 0:\nA bee is a con", "length").reason == "truncated"
    no_stop = f"Level 3:\nBees live six weeks\n{body[body.index('Level 2') :]}Level 0:\nA bee is a contest."
    assert read(no_stop, "length").passages[0] == (3, "Bees live six weeks")


def test_the_graded_schema_has_the_form_that_providers_require():
    schema = json.loads(SCHEMA_OF["graded"])
    row = schema["properties"]["passages"]["items"]
    assert row["required"] == ["level", "text"]
    assert schema["additionalProperties"] is row["additionalProperties"] is False
