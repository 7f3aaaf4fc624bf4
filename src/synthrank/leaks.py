"""What of a set of training texts a test set holds too: the same text, the same run of words, or nearly the same."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from synthrank.encodings import Encoder
from synthrank.files import read_jsonl
from synthrank.leak_ngrams import RunIndex, Words
from synthrank.records import Query
from synthrank.specs.leaks import LeakTests
from synthrank.texts import known_texts
from synthrank.trec import answers
from synthrank.wording import words_of

Side = Literal["query", "passage"]
"""What a text is: near duplicates are looked for among texts of the same side."""

BLOCK = 8192
"""Vectors of test texts that are compared at once: with as many training texts, a block takes 256 MiB."""


@dataclass(frozen=True, slots=True)
class Text:
    """A query or a passage."""

    id: str
    text: str
    side: Side


@dataclass(frozen=True, slots=True)
class Found:
    """A training text that leaks: its place, the test set and its text that shows it, by which test, and how.

    ``kind`` is ``exact``, ``N-gram`` or ``cosine``; ``evidence`` the shared run of words or the cosine.
    """

    place: int
    testset: str
    kind: str
    test: Text
    evidence: str = ""


def kinds_of(tests: LeakTests) -> list[str]:
    """Return the names of the stated tests."""
    kinds = ["exact"] if tests.exact else []
    return [*kinds, *(f"{length}-gram" for length in tests.ngrams), *(["cosine"] if tests.cosine is not None else [])]


class LeakFinder:
    """Finds which texts leak into test sets by stated tests (:class:`synthrank.specs.leaks.LeakTests`).

    Exact texts and shared runs are looked for among all texts of a test set, so a passage that quotes a query is found;
    near duplicates among those of the same side. A text without words leaks nowhere.
    """

    def __init__(self, testsets: Mapping[str, Sequence[Text]], tests: LeakTests, encoder: Encoder | None) -> None:
        """Index the test sets.

        Args:
            testsets: the queries and the relevant passages of each.
            tests: what counts as a leak.
            encoder: gives the vectors, where ``tests`` state a cosine.
        """
        self._tests, self._encoder = tests, encoder
        self._words = Words()
        self._texts = {name: [item for item in texts if words_of(item.text)] for name, texts in testsets.items()}
        split = {name: [words_of(item.text) for item in texts] for name, texts in self._texts.items()}
        self._exact = {
            name: {" ".join(words): place for place, words in reversed(list(enumerate(texts)))}
            for name, texts in split.items()
            if tests.exact
        }
        self._runs = {
            (name, length): RunIndex(self._words, texts, length)
            for name, texts in split.items()
            for length in tests.ngrams
        }
        self._vectors: dict[Side, tuple[npt.NDArray[np.float32], list[tuple[str, int]]]] = {}
        if tests.cosine is not None:
            self._vectors = {"query": self._encoded("query"), "passage": self._encoded("passage")}

    def _encoded(self, side: Side) -> tuple[npt.NDArray[np.float32], list[tuple[str, int]]]:
        """Return the vectors of the test texts of a side, test set by test set, and where each is from."""
        owners = [
            (name, place)
            for name, texts in self._texts.items()
            for place, item in enumerate(texts)
            if item.side == side
        ]
        return self._encode(side, [self._texts[name][place].text for name, place in owners]), owners

    def _encode(self, side: Side, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return vectors of unit length, one a text; equal texts are encoded once."""
        if self._encoder is None:
            raise ValueError("tests that state a cosine need an encoder")
        cut = [" ".join(text.split()[: self._tests.words]) for text in texts]
        distinct = list(dict.fromkeys(cut))
        if not distinct:
            return np.empty((0, 0), np.float32)
        vectors = self._encoder.queries(distinct) if side == "query" else self._encoder.passages(distinct)
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        place_of = {text: place for place, text in enumerate(distinct)}
        unit: npt.NDArray[np.float32] = (vectors / lengths)[[place_of[text] for text in cut]]
        return unit

    def find(self, texts: Sequence[Text]) -> list[Found]:
        """Return what leaks: for each text, test set and test the first test text that shows it, the nearest by cosine.

        All texts are compared at once: give some thousands, not a whole collection.
        """
        split = [words_of(item.text) for item in texts]
        found = [*self._same(split), *self._share_runs(split), *self._near(texts, split)]
        return sorted(found, key=lambda item: item.place)

    def _same(self, split: Sequence[Sequence[str]]) -> Iterator[Found]:
        for place, words in enumerate(split):
            key = " ".join(words)
            for name, place_of in self._exact.items():
                if key in place_of:
                    yield Found(place, name, "exact", self._texts[name][place_of[key]])

    def _share_runs(self, split: Sequence[Sequence[str]]) -> Iterator[Found]:
        row, owners = self._words.hashes(split) if self._runs else (np.empty(0, np.uint64), np.empty(0, np.int64))
        for (name, length), index in self._runs.items():
            for place, other, run in index.shared(row, owners, split):
                yield Found(place, name, f"{length}-gram", self._texts[name][other], run)

    def _near(self, texts: Sequence[Text], split: Sequence[Sequence[str]]) -> Iterator[Found]:
        for side, (_, owners) in self._vectors.items():
            places = [place for place, item in enumerate(texts) if item.side == side and split[place]]
            if places and owners:
                yield from self._nearest(self._encode(side, [texts[place].text for place in places]), places, side)

    def _nearest(self, own: npt.NDArray[np.float32], places: Sequence[int], side: Side) -> Iterator[Found]:
        vectors, owners = self._vectors[side]
        best: dict[tuple[int, str], tuple[float, int]] = {}
        for start in range(0, len(vectors), BLOCK):
            cosines = own @ vectors[start : start + BLOCK].T
            # A product in 32 bits of a text with itself may be 0.9999999.
            for row, column in zip(*np.nonzero(cosines >= (self._tests.cosine or 0) - 1e-6), strict=True):
                name, other = owners[start + int(column)]
                cosine = float(cosines[row, column])
                if cosine > best.get((int(row), name), (-2.0, 0))[0]:
                    best[int(row), name] = cosine, other
        for (row, name), (cosine, other) in best.items():
            yield Found(places[row], name, "cosine", self._texts[name][other], f"{min(cosine, 1.0):.4f}")


def distinct(texts: Iterable[Text]) -> list[Text]:
    """Return the texts without those that come again under the same id and side."""
    return list({(item.side, item.id): item for item in texts}.values())


def read_testset(queries: Path, qrels: Path, passages: Path) -> list[Text]:
    """Return the queries and the relevant passages (grade 1 or above) of a test set.

    A relevant passage that the collection lacks has no text, and is not among them.

    Args:
        queries: its queries.
        qrels: its qrels.
        passages: the passages of its corpus.
    """
    text_of = known_texts(passages, answers([qrels]))
    asked = [Text(query.id, query.text, "query") for query in read_jsonl(queries, Query)]
    return [*asked, *(Text(name, text_of[name], "passage") for name in sorted(text_of))]


def read_testsets(
    names: Sequence[str], queries: Sequence[Path], qrels: Sequence[Path], passages: Sequence[Path]
) -> dict[str, list[Text]]:
    """Return the texts of each test set, by its name; files stand in the order of the names."""
    return {name: read_testset(*files) for name, *files in zip(names, queries, qrels, passages, strict=True)}
