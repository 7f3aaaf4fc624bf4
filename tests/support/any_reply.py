"""Arbitrary replies for the readers: text, pieces that readers look for, and the checks of what they return."""

from hypothesis import strategies as st

from synthrank.config.paradigms import Quality
from synthrank.data.records import Reply
from synthrank.llms.parsing.choice import read_choice
from synthrank.llms.parsing.graded import read_graded
from synthrank.llms.parsing.passage import read_passage
from synthrank.llms.parsing.queries import read_query_reply
from synthrank.llms.parsing.ranking import read_ranking

PIECES = (
    "<think>", "</think>", "[THINK]", "<|channel|>analysis<|message|>", "<|channel|>final<|message|>", "[1]", "[2]",
    " > ", "[9]", "3", ", ", "1. ", "2. ", "\n", "Level 2:", "Level 0:", '{"passage": "', '"}', "[[", "]", "{", "```",
    "```json\n",
    "Passage B", "Answer: ", "Query: ", "- ", "I cannot ", "\ud83c", "\x00", "\ufffd", "\u3002", "9" * 5000,
)  # fmt: skip

replies = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=200),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=30).map("".join),
    st.lists(st.integers(-1, 12), max_size=12).map(lambda numbers: " > ".join(f"[{number}]" for number in numbers)),
)


def check_ranking(text, count=5):
    """Check that the order of a reply has every passage once."""
    read = read_ranking(text, count)
    assert read.value is None or sorted(read.value) == list(range(count))
    assert (read.value is None) == (read.status == "malformed")


def check_readers(text):
    """Check that every reader returns a value or a reason, and that values can be written as UTF-8."""
    check_ranking(text)
    choice = read_choice(text, 3).value
    assert choice is None or choice in range(3)
    for finish in ("stop", "length", "unknown", "blocked"):
        reply = Reply("q", "why?", 0, text, finish, 1, 1, "m", {}, ())
        passage = read_passage(reply, Quality(min_words=2))
        assert passage.reason or passage.text.encode()
        graded = read_graded(reply, (2, 0), Quality(min_words=1))
        assert bool(graded.passages) != bool(graded.reason)
        queries = read_query_reply(reply)
        assert (queries.value is None) == (queries.status not in ("well-formed", "repaired"))
        assert all(query.encode() for query in queries.value or [])
