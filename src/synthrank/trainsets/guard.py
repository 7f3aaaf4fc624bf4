"""The false-negative guard: which retrieved passages are not taken as negatives."""

from collections.abc import Iterable, Mapping

from synthrank.records import WrittenPassage
from synthrank.specs.recipes import Guard
from synthrank.texts import text_key
from synthrank.wording import words_of


def allowed(
    ranked: Iterable[str], text_of: Mapping[str, str], positive: WrittenPassage, known: set[str], guard: Guard
) -> list[str]:
    """Return the candidates, best first, that may serve as negatives.

    Args:
        ranked: candidates of a run, best first.
        text_of: their texts.
        positive: the positive they would stand against.
        known: passages that are relevant to its query.
        guard: what to leave out. ``skip_top`` counts before anything else is left out; an overlap is the share of the
            candidate's distinct words that the positive has too.
    """
    text = text_key(positive.text)
    words = set(words_of(positive.text))
    kept = []
    for place, name in enumerate(ranked):
        if place < guard.skip_top or name == positive.id or text_key(text_of[name]) == text:
            continue
        if guard.known_positives and name in known:
            continue
        own = set(words_of(text_of[name]))
        if len(own & words) > guard.max_overlap * len(own):
            continue
        kept.append(name)
    return kept
