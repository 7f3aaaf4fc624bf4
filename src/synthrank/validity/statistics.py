"""What the positives of a training set are like, in numbers."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from py3langid import classify
from sentence_splitter import SentenceSplitter

from synthrank.validity.lexical import (
    STOP_WORDS,
    compression_ratio,
    distinct_ngrams,
    overlap,
    reading_grade,
    segmental_ratio,
    spread,
)
from synthrank.validity.positives import Pair
from synthrank.wording import words_of

HEAD = 100
"""Characters at a passage's beginning that are searched for refusals and talk about itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """A positive: words of the passage, and the share of the query's distinct words that are among them."""

    query_id: str
    passage_id: str
    words: int
    query_overlap: float | None


class Positives:
    """The positives of a training set with their words; each distinct passage (by id) is held once."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        """Split the texts into words."""
        self.pairs = pairs
        self.text_of = {pair.passage_id: pair.passage for pair in pairs}
        # Interned, or 8 million words of 100,000 passages would each be a string of its own.
        self._words = {name: [sys.intern(word) for word in words_of(text)] for name, text in self.text_of.items()}
        self._asked = {pair.query_id: words_of(pair.query) for pair in pairs}

    @property
    def texts(self) -> dict[str, str]:
        """The text of each distinct passage that has words."""
        return {name: text for name, text in self.text_of.items() if self._words[name]}

    def words(self, names: Sequence[str]) -> list[list[str]]:
        """Return the words of passages."""
        return [self._words[name] for name in names]

    def rows(self) -> list[Row]:
        """Return one row a pair."""
        return [
            Row(
                pair.query_id,
                pair.passage_id,
                len(self._words[pair.passage_id]),
                overlap(self._asked[pair.query_id], self._words[pair.passage_id]),
            )
            for pair in self.pairs
        ]

    def content_overlaps(self) -> list[float]:
        """Return for each pair the overlap without stop words, where the query has other words."""
        found = (
            overlap(set(self._asked[pair.query_id]) - STOP_WORDS, self._words[pair.passage_id]) for pair in self.pairs
        )
        return [value for value in found if value is not None]


def of_pairs(positives: Positives, rows: Sequence[Row]) -> dict[str, object]:
    """Return what is counted pair by pair, as a ranker is trained: lengths in words and overlaps with the query."""
    overlaps = [row.query_overlap for row in rows if row.query_overlap is not None]
    contents = positives.content_overlaps()
    queries = len({row.query_id for row in rows})
    return {
        "pairs": len(rows),
        "queries": queries,
        "passages": len(positives.text_of),
        "empty": len(positives.text_of) - len(positives.texts),
        "passages_per_query": len(rows) / queries if queries else None,
        "words": spread([row.words for row in rows]),
        "query_overlap": spread(overlaps),
        "query_overlap_without_stop_words": fmean(contents) if contents else None,
    }


def of_all(texts: Mapping[str, str], words: Sequence[Sequence[str]], refusals: Sequence[str]) -> dict[str, object]:
    """Return what is counted over all distinct passages that have words."""
    return {
        "segmental_type_token_ratio": segmental_ratio(words),
        "compression_ratio": compression_ratio(texts.values()),
        "refusals": _share([any(mark in text[:HEAD].lower() for mark in refusals) for text in texts.values()]),
    }


def languages(texts: Iterable[str]) -> dict[str, int]:
    """Return how many texts are in each language, the commonest first, as py3langid tells (ISO 639-1 codes).

    py3langid carries its model (2 MB) and needs numpy alone; a text of a few words is often taken for another language.
    """
    counts = Counter(classify(text)[0] for text in texts)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def of_sample(texts: Sequence[str], words: Sequence[Sequence[str]]) -> dict[str, object]:
    """Return what is counted over a sample, because it takes long or grows with the number of passages."""
    grades = [_grade(text) for text in texts]
    known = [grade for grade in grades if grade is not None]
    return {
        "reading_grade": fmean(known) if known else None,
        **{f"distinct_{length}": distinct_ngrams(words, length) for length in (1, 2, 3)},
    }


def _grade(text: str) -> float | None:
    words = words_of(text)
    return reading_grade(sum(map(len, words)), len(words), len(_SPLITTER.split(text)))


_SPLITTER = SentenceSplitter(language="en")


def _share(marks: Sequence[bool]) -> float | None:
    return sum(marks) / len(marks) if marks else None
