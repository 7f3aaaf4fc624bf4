"""Matched controls: the positives of a training set with one difference to human passages removed.

Generated passages are shorter or longer than human passages and repeat more of the query. Both differences affect
measures of diversity and difficulty, so training sets are also compared without each difference.
"""

from collections.abc import Sequence
from dataclasses import replace

from synthrank.data.words import cut_out_words, first_words, words_of
from synthrank.steps.validity.lexical import STOP_WORDS
from synthrank.steps.validity.positives import LabelledPair


def cut_overlap(pairs: Sequence[LabelledPair]) -> list[LabelledPair]:
    """Return the pairs, each passage without the words of its query; stop words stay, to keep sentences readable."""
    return [
        replace(
            pair,
            passage_id=_make_id(place, pair),
            passage=cut_out_words(pair.passage, set(words_of(pair.query)) - STOP_WORDS),
        )
        for place, pair in enumerate(pairs)
    ]


def cut_to_equal_length(
    pairs: Sequence[LabelledPair], reference: Sequence[LabelledPair]
) -> tuple[list[LabelledPair], list[LabelledPair]]:
    """Return two lists of pairs of the same queries, in which each passage is as long as its partner.

    The partner of a passage is the first passage of the reference for the same query. The longer of the two is cut to
    the number of words of the shorter. Queries that one side lacks, and passages equal to their partner, are left out.

    Args:
        pairs: the pairs of a training set.
        reference: the pairs of the reference training set, best first for each query.
    """
    first: dict[str, LabelledPair] = {}
    for pair in reference:
        first.setdefault(pair.query_id, pair)
    found = [(pair, first[pair.query_id]) for pair in pairs if pair.query_id in first]
    own: list[LabelledPair] = []
    others: list[LabelledPair] = []
    for place, partners in enumerate(both for both in found if both[0].passage != both[1].passage):
        words = min(len(words_of(pair.passage)) for pair in partners)
        for side, pair in zip((own, others), partners, strict=True):
            side.append(replace(pair, passage_id=_make_id(place, pair), passage=first_words(pair.passage, words)))
    return own, others


def _make_id(place: int, pair: LabelledPair) -> str:
    """Return an id of the passage in one pair, because a passage changes differently for each query."""
    return f"{place}:{pair.passage_id}"
