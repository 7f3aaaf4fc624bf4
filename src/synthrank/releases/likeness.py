"""How far written passages are from what people wrote for the same queries: length, and shared words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from synthrank.records import WrittenPassage
from synthrank.wording import words_of


@dataclass(frozen=True, slots=True)
class Likeness:
    """Passages of one kind: how many, mean and median length in words, and what they share with others.

    ``of_query`` is the mean part of a query's distinct words that its passage holds, ``of_human`` the mean Jaccard
    similarity of a passage's distinct words to those of the nearest human passage of its query; None for human ones.
    """

    what: str
    passages: int
    mean_words: float
    median_words: float
    of_query: float
    of_human: float | None = None


def likenesses(written: Sequence[WrittenPassage], human: Mapping[str, Sequence[str]]) -> list[Likeness]:
    """Compare written passages, grade by grade, with the human ones of the queries that have both.

    Args:
        written: the passages of a release.
        human: per query id the texts that people judged relevant.

    Returns:
        One row a grade, best first, then one of the human passages; nothing where no query has both.
    """
    both = [item for item in written if human.get(item.query_id)]
    if not both:
        return []
    query_of = {item.query_id: item.query for item in both}
    people = {name: [_words(text) for text in human[name]] for name in query_of}
    found = []
    for grade in sorted({item.grade for item in both}, reverse=True):
        items = [item for item in both if item.grade == grade]
        shared = [max(_jaccard(_words(item.text), other) for other in people[item.query_id]) for item in items]
        found.append(_likeness(f"written, grade {grade}", [(item.text, item.query) for item in items], shared))
    pairs = [(text, query) for name, query in query_of.items() for text in human[name]]
    return [*found, _likeness("written by people", pairs)]


def _likeness(what: str, pairs: Sequence[tuple[str, str]], shared: Sequence[float] = ()) -> Likeness:
    """Return the row of pairs of a passage and its query."""
    lengths = [len(text.split()) for text, _ in pairs]
    of_query = fmean(_part(_words(query), _words(text)) for text, query in pairs)
    of_human = fmean(shared) if shared else None
    return Likeness(what, len(pairs), fmean(lengths), median(lengths), of_query, of_human)


def _words(text: str) -> frozenset[str]:
    return frozenset(words_of(text))


def _part(words: frozenset[str], of: frozenset[str]) -> float:
    return len(words & of) / len(words) if words else 0.0


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0
