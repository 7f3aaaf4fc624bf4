"""Statistics of the positives of a training set."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from py3langid import classify
from sentence_splitter import SentenceSplitter

from synthrank.data.words import words_of
from synthrank.llms.parsing.refusals import is_refusal
from synthrank.steps.validity.lexical import (
    STOP_WORDS,
    compression_ratio,
    distinct_ngrams,
    overlap,
    reading_grade,
    segmental_ratio,
    spread,
)
from synthrank.steps.validity.positives import LabelledPair

HEAD = 100
"""Characters at the beginning of a passage that are searched for refusals and meta text."""


@dataclass(frozen=True, slots=True)
class PositiveRow:
    """A positive: number of words of the passage, and the share of the query's distinct words that it contains."""

    query_id: str
    passage_id: str
    words: int
    query_overlap: float | None


class TrainingPositives:
    """The positives of a training set with their words; each distinct passage is stored once.

    Passages are distinct if their ids or texts differ: a human passage and its reworded version have the same id.
    """

    def __init__(self, pairs: Sequence[LabelledPair]) -> None:
        """Split the texts into words."""
        self.pairs = pairs
        self._names = _name_passages(pairs)
        self.text_of = {name: text for (_, text), name in self._names.items()}
        # Interned, because 100,000 passages have 8 million words, which would otherwise be separate strings.
        self._words = {name: [sys.intern(word) for word in words_of(text)] for name, text in self.text_of.items()}
        self._queries = {pair.query_id: words_of(pair.query) for pair in pairs}

    @property
    def texts(self) -> dict[str, str]:
        """The text of each distinct passage that has words."""
        return {name: text for name, text in self.text_of.items() if self._words[name]}

    def words(self, names: Sequence[str]) -> list[list[str]]:
        """Return the words of passages."""
        return [self._words[name] for name in names]

    def rows(self) -> list[PositiveRow]:
        """Return one row per pair."""
        return [
            PositiveRow(
                pair.query_id,
                pair.passage_id,
                len(self._words_of(pair)),
                overlap(self._queries[pair.query_id], self._words_of(pair)),
            )
            for pair in self.pairs
        ]

    def content_overlaps(self) -> list[float]:
        """Return the overlap without stop words of each pair whose query has other words."""
        found = (overlap(set(self._queries[pair.query_id]) - STOP_WORDS, self._words_of(pair)) for pair in self.pairs)
        return [value for value in found if value is not None]

    def _words_of(self, pair: LabelledPair) -> list[str]:
        return self._words[self._names[pair.passage_id, pair.passage]]


def _name_passages(pairs: Sequence[LabelledPair]) -> dict[tuple[str, str], str]:
    """Return a name per distinct (id, text): the id, with a number from the second text of an id on."""
    names: dict[tuple[str, str], str] = {}
    texts = Counter[str]()
    for pair in pairs:
        if (pair.passage_id, pair.passage) not in names:
            texts[pair.passage_id] += 1
            number = texts[pair.passage_id]
            names[pair.passage_id, pair.passage] = pair.passage_id if number == 1 else f"{pair.passage_id}#{number}"
    return names


def of_pairs(positives: TrainingPositives, rows: Sequence[PositiveRow]) -> dict[str, object]:
    """Return the statistics per pair: lengths in words and overlaps with the query."""
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
    """Return the statistics of all distinct passages that have words."""
    return {
        "segmental_type_token_ratio": segmental_ratio(words),
        "compression_ratio": compression_ratio(texts.values()),
        "refusals": _share(
            [is_refusal(text) or any(mark in text[:HEAD].lower() for mark in refusals) for text in texts.values()]
        ),
    }


def languages(texts: Iterable[str]) -> dict[str, int]:
    """Return the number of texts per language (ISO 639-1 codes by py3langid), most frequent first.

    py3langid includes its model (2 MB) and needs only numpy. It often misclassifies texts of a few words.
    """
    counts = Counter(classify(text)[0] for text in texts)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def of_sample(texts: Sequence[str], words: Sequence[Sequence[str]]) -> dict[str, object]:
    """Return the statistics of a sample, which are slow or change with the number of passages."""
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
