"""Matched controls: the positives of a training set after one difference to human passages is taken away.

Passages that language models write are shorter or longer than human ones and repeat more of the query. Measures of
diversity and difficulty change with both, so two training sets are compared a second time without each difference.
"""

from collections.abc import Sequence
from dataclasses import replace

from synthrank.validity.lexical import STOP_WORDS
from synthrank.validity.positives import Pair
from synthrank.wording import first_words, without_words, words_of


def without_overlap(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs, each passage without the words of its query; stop words stay, so that sentences still read."""
    return [
        replace(
            pair,
            passage_id=_own_id(place, pair),
            passage=without_words(pair.passage, set(words_of(pair.query)) - STOP_WORDS),
        )
        for place, pair in enumerate(pairs)
    ]


def equally_long(pairs: Sequence[Pair], reference: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Return two lists of pairs of the same queries in which each passage has as many words as its partner.

    A passage's partner is the first passage of the reference for the same query. The longer one of the two ends where
    the shorter one has no more words. Left out are queries that one side lacks, and passages that are their partner.

    Args:
        pairs: the pairs of a training set.
        reference: those of another one, best first for each query.
    """
    first: dict[str, Pair] = {}
    for pair in reference:
        first.setdefault(pair.query_id, pair)
    found = [(pair, first[pair.query_id]) for pair in pairs if pair.query_id in first]
    own: list[Pair] = []
    others: list[Pair] = []
    for place, partners in enumerate(both for both in found if both[0].passage != both[1].passage):
        words = min(len(words_of(pair.passage)) for pair in partners)
        for side, pair in zip((own, others), partners, strict=True):
            side.append(replace(pair, passage_id=_own_id(place, pair), passage=first_words(pair.passage, words)))
    return own, others


def _own_id(place: int, pair: Pair) -> str:
    """Return an id for the passage as it stands in one pair: changed for two queries, it is two texts."""
    return f"{place}:{pair.passage_id}"
