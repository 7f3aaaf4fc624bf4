"""How far written passages are from what people wrote for the same queries: length, and shared words."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    human_sets = {name: [_words(text) for text in human[name]] for name in {item.query_id for item in both}}
    by_grade: dict[int, list[WrittenPassage]] = defaultdict(list)
    for item in both:
        by_grade[item.grade].append(item)
    found = [
        _likeness(
            f"written, grade {grade}",
            [(item.text, item.query) for item in by_grade[grade]],
            [
                max(_jaccard(_words(item.text), other) for other in human_sets[item.query_id])
                for item in by_grade[grade]
            ],
        )
        for grade in sorted(by_grade, reverse=True)
    ]
    return [*found, _likeness("written by people", list(_pairs(both, human)))]


def _pairs(written: Iterable[WrittenPassage], human: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield (human passage, query) of each query once."""
    query_of = {item.query_id: item.query for item in written}
    yield from ((text, query) for name, query in query_of.items() for text in human[name])


def _likeness(what: str, pairs: Sequence[tuple[str, str]], shared: Sequence[float] = ()) -> Likeness:
    lengths = [len(text.split()) for text, _ in pairs]
    return Likeness(
        what,
        len(pairs),
        fmean(lengths),
        median(lengths),
        fmean(_part(_words(query), _words(text)) for text, query in pairs),
        fmean(shared) if shared else None,
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(words_of(text))


def _part(words: frozenset[str], of: frozenset[str]) -> float:
    return len(words & of) / len(words) if words else 0.0


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0
