"""Find training texts that also occur in a test set: the same text, a common run of words, or a near duplicate."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from synthrank.config.leaks import LeakTests
from synthrank.contamination.ngrams import RunIndex, Words
from synthrank.data.files import atomic_path, read_jsonl
from synthrank.data.passage_texts import find_texts
from synthrank.data.records import Query
from synthrank.data.shards import Shard
from synthrank.data.trec import answers
from synthrank.data.words import words_of
from synthrank.errors import DataError
from synthrank.vectors.store import Encoder, Vectors, read_encodings, write_encodings

Side = Literal["query", "passage"]
"""The kind of a text. Near duplicates are searched among texts of the same side."""

SIDES: tuple[Side, ...] = get_args(Side)

SideVectors = dict[Side, Vectors]
"""Vectors of unit length by side, of the texts of a test set that have words, in the order of the texts."""

BLOCK = 8192
"""Vectors of test texts per block; with as many training texts, the cosines of a block take 256 MiB."""


@dataclass(frozen=True, slots=True)
class OverlapText:
    """A query or a passage."""

    id: str
    text: str
    side: Side


@dataclass(frozen=True, slots=True)
class Overlap:
    """A training text that overlaps with a text of a test set.

    ``place`` is the index of the training text, ``test`` the text of the test set. ``kind`` is ``exact``, ``N-gram`` or
    ``cosine``, and ``evidence`` is the common run of words or the cosine.
    """

    place: int
    testset: str
    kind: str
    test: OverlapText
    evidence: str = ""


def kinds_of(tests: LeakTests) -> list[str]:
    """Return the names of the configured tests."""
    kinds = ["exact"] if tests.exact else []
    return [*kinds, *(f"{length}-gram" for length in tests.ngrams), *(["cosine"] if tests.cosine is not None else [])]


class OverlapFinder:
    """Find texts that overlap with test sets, by the tests of :class:`synthrank.config.leaks.LeakTests`.

    Equal texts and common runs are searched in all texts of a test set, so a passage that quotes a query is found. Near
    duplicates are searched in texts of the same side. A text without words has no overlap.
    """

    def __init__(
        self,
        testsets: Mapping[str, Sequence[OverlapText]],
        tests: LeakTests,
        encoder: Encoder | None,
        vectors: Mapping[str, SideVectors] | None = None,
    ) -> None:
        """Index the test sets.

        Args:
            testsets: the queries and relevant passages of each test set.
            tests: the tests and their thresholds.
            encoder: computes vectors if ``tests`` state a cosine.
            vectors: the vectors of each test set from :func:`read_vectors`; by default, the encoder computes them.
        """
        self._tests, self._encoder = tests, encoder
        self._words = Words()
        self._texts = {name: keep_with_words(texts) for name, texts in testsets.items()}
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
        self._vectors: dict[Side, tuple[Vectors, list[tuple[str, int]]]] = {}
        if tests.cosine is not None:
            self._vectors = {side: self._test_vectors(side, vectors) for side in SIDES}

    def _test_vectors(
        self, side: Side, vectors: Mapping[str, SideVectors] | None
    ) -> tuple[Vectors, list[tuple[str, int]]]:
        """Return the vectors of all test texts of a side, and the (test set, index) of each."""
        owners = [
            (name, place)
            for name, texts in self._texts.items()
            for place, item in enumerate(texts)
            if item.side == side
        ]
        if vectors is None:
            return self._encode(side, [self._texts[name][place].text for name, place in owners]), owners
        filled = [found for name in self._texts if len(found := vectors[name][side])]
        return np.concatenate(filled) if filled else np.empty((0, 0), np.float32), owners

    def _encode(self, side: Side, texts: Sequence[str]) -> Vectors:
        if self._encoder is None:
            raise ValueError("a cosine test needs an encoder")
        return unit_vectors(texts, self._encoder, side, self._tests.words)

    def find(self, texts: Sequence[OverlapText]) -> list[Overlap]:
        """Return the overlaps: per text, test set and test the first test text, or the nearest by cosine.

        Memory grows with the number of texts, so pass some thousands per call.
        """
        split = [words_of(item.text) for item in texts]
        found = [*self._find_same(split), *self._share_runs(split), *self._find_near(texts, split)]
        return sorted(found, key=lambda item: item.place)

    def _find_same(self, split: Sequence[Sequence[str]]) -> Iterator[Overlap]:
        for place, words in enumerate(split):
            key = " ".join(words)
            for name, place_of in self._exact.items():
                if key in place_of:
                    yield Overlap(place, name, "exact", self._texts[name][place_of[key]])

    def _share_runs(self, split: Sequence[Sequence[str]]) -> Iterator[Overlap]:
        row, owners = self._words.hashes(split) if self._runs else (np.empty(0, np.uint64), np.empty(0, np.int64))
        for (name, length), index in self._runs.items():
            for place, other, run in index.find_shared(row, owners, split):
                yield Overlap(place, name, f"{length}-gram", self._texts[name][other], run)

    def _find_near(self, texts: Sequence[OverlapText], split: Sequence[Sequence[str]]) -> Iterator[Overlap]:
        for side, (_, owners) in self._vectors.items():
            places = [place for place, item in enumerate(texts) if item.side == side and split[place]]
            if places and owners:
                yield from self._find_nearest(self._encode(side, [texts[place].text for place in places]), places, side)

    def _find_nearest(self, own: Vectors, places: Sequence[int], side: Side) -> Iterator[Overlap]:
        vectors, owners = self._vectors[side]
        best: dict[tuple[int, str], tuple[float, int]] = {}
        for start in range(0, len(vectors), BLOCK):
            cosines = own @ vectors[start : start + BLOCK].T
            # In float32, the cosine of a text with itself may be 0.9999999.
            for row, column in zip(*np.nonzero(cosines >= (self._tests.cosine or 0) - 1e-6), strict=True):
                name, other = owners[start + int(column)]
                cosine = float(cosines[row, column])
                if cosine > best.get((int(row), name), (-2.0, 0))[0]:
                    best[int(row), name] = cosine, other
        for (row, name), (cosine, other) in best.items():
            yield Overlap(places[row], name, "cosine", self._texts[name][other], f"{min(cosine, 1.0):.4f}")


def keep_with_words(texts: Iterable[OverlapText]) -> list[OverlapText]:
    """Return the texts that have words."""
    return [item for item in texts if words_of(item.text)]


def unit_vectors(texts: Sequence[str], encoder: Encoder, side: Side, words: int | None) -> Vectors:
    """Return one vector of unit length per text; equal texts are encoded once.

    Args:
        texts: the texts.
        encoder: computes the vectors.
        side: selects the prefix of queries or passages.
        words: maximum number of words per text; by default all.
    """
    cut = [" ".join(text.split()[:words]) for text in texts]
    place_of = {text: place for place, text in enumerate(dict.fromkeys(cut))}
    if not place_of:
        return np.empty((0, 0), np.float32)
    vectors = encoder.queries(list(place_of)) if side == "query" else encoder.passages(list(place_of))
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    unit: Vectors = (vectors / lengths)[[place_of[text] for text in cut]]
    return unit


def write_vectors(folder: Path, testset: Iterable[OverlapText], encoder: Encoder, words: int | None) -> None:
    """Write the vectors of a test set's texts that have words, in a folder of encodings per side.

    Args:
        folder: the new folder.
        testset: the texts from :func:`read_testset`.
        encoder: computes the vectors.
        words: maximum number of words per text; by default all.
    """
    texts = keep_with_words(testset)
    with atomic_path(folder) as vectors:
        vectors.mkdir()
        for side in SIDES:
            rows = [(item.id, item.text) for item in texts if item.side == side]
            encode = partial(unit_vectors, encoder=encoder, side=side, words=words)
            write_encodings(encode, rows, len(rows), vectors / side, shard=Shard(1, 1))


def read_vectors(folder: Path, testset: Iterable[OverlapText]) -> SideVectors:
    """Return the vectors of a test set's texts that have words, by side, in the order of the texts.

    Raises:
        DataError: the folder contains vectors of other texts.
    """
    texts = keep_with_words(testset)
    found: SideVectors = {}
    for side in SIDES:
        encodings = read_encodings(folder / side)
        if list(encodings.ids()) != [item.id for item in texts if item.side == side]:
            raise DataError(f"{folder / side}: its ids differ from the test set's; delete the folder and run again")
        found[side] = encodings.stored(0, len(encodings))
    return found


def drop_repeated(texts: Iterable[OverlapText]) -> list[OverlapText]:
    """Return the texts without repetitions of side, id and text; a reworded passage has the id of its original."""
    return list({(item.side, item.id, item.text): item for item in texts}.values())


def read_testset(queries: Path, qrels: Path, passages: Path) -> list[OverlapText]:
    """Return the queries and the relevant passages (grade 1 or above) of a test set.

    Relevant passages that are missing in the corpus are skipped.

    Args:
        queries: the queries of the test set.
        qrels: the qrels of the test set.
        passages: the passages of its corpus.
    """
    text_of = find_texts(passages, answers([qrels]))
    query_texts = [OverlapText(query.id, query.text, "query") for query in read_jsonl(queries, Query)]
    return [*query_texts, *(OverlapText(name, text_of[name], "passage") for name in sorted(text_of))]


def read_testsets(
    names: Sequence[str], queries: Sequence[Path], qrels: Sequence[Path], passages: Sequence[Path]
) -> dict[str, list[OverlapText]]:
    """Return the texts of each test set by name; the files are in the order of the names."""
    return {name: read_testset(*files) for name, *files in zip(names, queries, qrels, passages, strict=True)}
