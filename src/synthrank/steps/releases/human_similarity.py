"""Compare generated passages with the human passages of the same queries: length and shared words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from synthrank.data.records import WrittenPassage
from synthrank.data.words import words_of


@dataclass(frozen=True, slots=True)
class Likeness:
    """Passages of one kind: number, mean and median length in words, and shared words.

    ``of_query`` is the mean share of a query's distinct words that its passage contains. ``of_human`` is the mean
    Jaccard similarity between the distinct words of a passage and of the most similar human passage of its query, or
    None for human passages.
    """

    what: str
    passages: int
    mean_words: float
    median_words: float
    of_query: float
    of_human: float | None = None


def compare_with_human(written: Sequence[WrittenPassage], human: Mapping[str, Sequence[str]]) -> list[Likeness]:
    """Compare the passages of a release, grade by grade, with human passages, for queries that have both.

    Args:
        written: the passages of a release.
        human: per query id, the texts that people judged relevant.

    Returns:
        One row per grade, best first, then the row of the human passages; empty if no query has both.
    """
    both = [item for item in written if human.get(item.query_id)]
    if not both:
        return []
    query_of = {item.query_id: item.query for item in both}
    people = {name: [_split_words(text) for text in human[name]] for name in query_of}
    found = []
    for grade in sorted({item.grade for item in both}, reverse=True):
        items = [item for item in both if item.grade == grade]
        shared = [
            max(_measure_jaccard(_split_words(item.text), other) for other in people[item.query_id]) for item in items
        ]
        found.append(_compare(f"released, grade {grade}", [(item.text, item.query) for item in items], shared))
    pairs = [(text, query) for name, query in query_of.items() for text in human[name]]
    return [*found, _compare("human", pairs)]


def _compare(what: str, pairs: Sequence[tuple[str, str]], shared: Sequence[float] = ()) -> Likeness:
    """Return the row of (passage, query) pairs."""
    lengths = [len(text.split()) for text, _ in pairs]
    of_query = fmean(_measure_share(_split_words(query), _split_words(text)) for text, query in pairs)
    of_human = fmean(shared) if shared else None
    return Likeness(what, len(pairs), fmean(lengths), median(lengths), of_query, of_human)


def _split_words(text: str) -> frozenset[str]:
    return frozenset(words_of(text))


def _measure_share(words: frozenset[str], of: frozenset[str]) -> float:
    return len(words & of) / len(words) if words else 0.0


def _measure_jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0
