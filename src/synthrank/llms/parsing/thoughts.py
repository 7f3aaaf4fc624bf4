"""Separate the thoughts of a reasoning model from its answer. Every reader of replies calls :func:`read_answer`."""

import re
from dataclasses import dataclass

from synthrank.data.records import Reply
from synthrank.llms.bodies import parse_json, read_content

THOUGHT = "thought"
"""The note of a reply with a thought, and the reason of a reply that is nothing else."""

UNREADABLE = "unreadable"
"""The note of a reply from which control characters or halves of characters were removed."""

_NAME = r"(?:[\w:-]{0,20}think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|(?:inner|internal)_?monologue)"
# A mark in quotation marks or backticks is mentioned, not used.
_MARK = re.compile(
    rf"(?<![`'\"\u2018\u201c])(?:(?P<open>[<\u25c1]\|?(?!end){_NAME}\|?[>\u25b7]"
    r"|(?-i:\[THINK\])|<\|(?:begin_of_thought|START_THINKING)\|>|<unused94>thought|<\|channel>thought"
    # The Harmony format, and what is left of it without its special tokens: "analysisWe … assistantfinalThe …".
    r"|(?:<\|start\|>assistant)?<\|channel\|>\s*(?:analysis|commentary)(?:[^<]{0,80}<\|message\|>)?"
    r"|\Aanalysis(?-i:(?=[A-Z]))|\A\s*here(?:'s| is) my thought process:|\A\s*thinking\.\.\.\s*\n)"
    rf"|(?P<close>[<\u25c1]\|?/\|?{_NAME}\|?[>\u25b7]"
    r"|(?-i:\[/THINK\])|<\|(?:end_of_thought|END_THINKING)\|>|<unused95>|<channel\|>"
    r"|(?:<\|end\|>)?(?:<\|start\|>assistant)?<\|channel\|>\s*final(?:[^<]{0,80}<\|message\|>)?"
    r"|(?-i:assistantfinal)|(?P<phrase>here(?:'s| is) my response:|\.\.\.done thinking\.)))",
    re.IGNORECASE,
)
_WRAPPER = re.compile(
    r"(?<![`'\"\u2018\u201c])(?:</?(?:final_?)?(?:answer|response|output)>|<\|(?:begin|end)_of_(?:solution|box)\|>"
    r"|<\|(?:START|END)_RESPONSE\|>|<\|(?:end|return)\|>)",
    re.IGNORECASE,
)
# Lone surrogates, U+FFFD (a character that was cut), noncharacters, and control characters except white space.
_UNREADABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffd-\uffff]")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer in a reply, without thoughts; ``notes`` names what was removed.

    ``unanswered`` means that the reply has thoughts and no answer, usually because the token limit was reached first.
    """

    text: str
    notes: tuple[str, ...] = ()
    unanswered: bool = False


def read_answer(reply: Reply) -> Answer:
    """Return the answer in a reply. The reply itself stays unchanged.

    Thoughts are in a field of the provider, or in the text between marks such as ``<think>`` and ``</think>``. An end
    mark without a start mark ends a thought that the chat template started. A start mark without an end mark starts a
    thought that was cut.
    """
    text, field = read_content(reply.text)
    # Marks in a text of a JSON value are left to the reader of that value.
    is_json = text.lstrip()[:1] in ("{", "[") and parse_json(text) is not None
    answer, marked = (text, False) if is_json else remove_thoughts(text)
    readable = make_readable(answer)
    thought = bool(marked or reply.thought or field)
    notes = [note for note, found in ((THOUGHT, thought), (UNREADABLE, _UNREADABLE.search(answer))) if found]
    return Answer(readable, tuple(notes), not readable and (thought or reply.tokens_thought > 0))


def make_readable(text: str) -> str:
    """Return the text without control characters, halves of characters and outer white space."""
    return _UNREADABLE.sub("", text).strip()


def remove_thoughts(text: str) -> tuple[str, bool]:
    """Return the text outside of thoughts, and whether there was a mark of a thought. Takes linear time."""
    parts: list[str] = []
    inside = marked = False
    start = 0
    for mark in _MARK.finditer(text):
        if mark["phrase"] and not inside:
            continue  # words of the answer; chat templates start thoughts with tags only
        if not inside:
            parts.append(text[start : mark.start()])
        if mark["close"] and not inside:
            parts.clear()
        inside, marked, start = not mark["close"], True, mark.end()
    if not inside:
        parts.append(text[start:])
    answer = "\n".join(part for part in parts if part.strip())
    if marked or _WRAPPER.match(answer.lstrip()):
        answer = _WRAPPER.sub("", answer)
    return answer, marked


def find_started(prompt: str) -> str:
    """Return the mark of a thought with which a prompt ends, followed by a line end; otherwise an empty text."""
    marks = list(_MARK.finditer(prompt))
    if marks and marks[-1]["open"] and not prompt[marks[-1].end() :].strip():
        return f"{marks[-1][0]}\n"
    return ""
