"""The list of refusals: the first words of replies that refuse a request or deny that they can answer it.

To add a form, add a reply that has it and ordinary prose that is close to it to
``tests/llms/parsing/test_refusals.py``.
"""

# ruff: noqa: RUF001 - apostrophes and letters of other scripts, as models write them

import re

HEAD = 400
"""Characters of a reply that are searched: a refusal is in its first sentences."""

_AI = r"an? (?:\w+ )?(?:ai|artificial intelligence|(?:large )?language model|text-based|chatbot)\b"

_CANNOT = (
    r"(?:cannot|can ?not|can['’]?t|could(?: not|n['’]?t)|won['’]?t|will not|do not have|don['’]?t have|do not know|"
    r"don['’]?t know|do not possess|have no (?:access|information|knowledge|record|data|way)|"
    r"lack (?:access|information|knowledge)|must (?:decline|refuse)|have to decline|"
    r"(?:am|['’]m) (?:unable|not (?:able|allowed|permitted|authorized|programmed|designed|aware|familiar|comfortable)))"
)

_OPENINGS = (
    r"(?:i['’]?m|i am) (?:(?:very|so|really|truly|terribly) )?sorry",
    r"sorry,|(?:my )?apologies[,.]|i (?:do )?apologi[sz]e",
    r"i (?:can(?:not| ?not|['’]?t)|won['’]?t|will not) |(?:i am|i was|i['’]m) (?:not able|unable)",
    r"i (?:must|have to|need to|would like to) (?:respectfully )?(?:decline|refuse)",
    r"(?:i['’]m|i am) not (?:comfortable|allowed|permitted|authorized|programmed) ",
    r"as an? (?:\w+ )?(?:ai|artificial intelligence|(?:large )?language model)\b",
    rf"(?:i['’]m|i am) (?:just |only )?{_AI}(?=.{{0,200}}{_CANNOT})",
    r"unfortunately, (?:i|we) ",
    # Chinese, Japanese, Korean
    r"(?:很|非常)?(?:抱歉|对不起|對不起)|我(?:无法|無法|不能)|作为(?:一个|一名)?(?:AI|人工智能|语言模型)",
    r"申し訳|すみません|죄송",
    # German, French, Dutch
    r"(?:es )?tut mir (?:sehr )?leid|leider kann ich|als (?:ki|künstliche intelligenz|sprachmodell)\b",
    r"je suis désol|désolée?,|je ne peux pas|en tant qu(?:['’]ia|['’]intelligence|e mod[eè]le)",
    r"het spijt me",
    # Spanish, Portuguese, Italian
    r"lo siento|no puedo|como (?:ia|modelo de lengua|intelig[eê]ncia artificial)|desculpe|não posso|sinto muito",
    r"mi dispiace|non posso|come (?:ia|modello linguistico|intelligenza artificiale)",
    # Polish, Russian
    r"przykro mi|przepraszam|извините|к сожалению, я|я не могу",
)
"""Openings that refuse whatever follows."""

_INABILITIES = (
    rf"\b(?:i|we)(?: (?:still|currently|really|also|personally|simply|just|do|regret that i))? ?{_CANNOT}\b",
    r"\b(?:there is|there['’]s|i have|i can find|i found|i could find) (?:no|not enough|insufficient) "
    r"(?:specific |reliable |official |verified |public(?:ly available)? |available |known )?"
    r"(?:information|record|data|evidence|details)\b",
    r"\bit is (?:not possible|impossible) for me\b",
)
"""Phrases that refuse only if the same sentences are about the model or the request."""

_ABOUT_ITSELF = (
    r"\bas of (?:my|our) |\bmy (?:last |latest |current )?(?:knowledge|training)\b",
    r"\b(?:knowledge|training) (?:cut-?off|data)\b|\breal-?time (?:data|information|access)\b",
    rf"\b(?:as|being|i am|i['’]m) {_AI}",
    r"\b(?:your|this|that|the) (?:request|prompt|question|query|instructions?)\b",
    r"\b(?:unfortunately|regrettably|apologies|sorry|apologi[sz]e)\b",
    r"\bthe (?:provided|given) (?:context|information|passages?|text)\b",
    r"\b(?:provide|offer|give|find|generate|write|create|assist|verify|confirm|browse|access)\b"
    r"(?=.{0,60}\b(?:information|details|passage|answer|response|request|content|internet|data|you)\b)",
)

_OPENING = re.compile(f"(?:{'|'.join(_OPENINGS)})", re.IGNORECASE)
_INABILITY = re.compile("|".join(_INABILITIES), re.IGNORECASE)
_SELF = re.compile("|".join(_ABOUT_ITSELF), re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?=\s)")


def is_refusal(text: str) -> bool:
    """Return whether a reply refuses the request, or denies that it can answer it, in its first two sentences.

    Some openings are always a refusal. Others, such as ``As of my last update``, are one only together with an
    inability: ``I cannot``, ``I do not have``, ``there is no information``.
    """
    head = " ".join(text[:HEAD].split()).lstrip("\"'*_#> ")
    if _OPENING.match(head):
        return True
    ends = [end.end() for end in _SENTENCE_END.finditer(head)]
    first = head[: ends[1]] if len(ends) > 1 else head
    return bool(_INABILITY.search(first) and _SELF.search(first))
