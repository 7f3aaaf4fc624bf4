"""Find common runs of n words between texts and an index of other texts, by hashes of the runs."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
"""64-bit hashes of words in their order, or of runs of words."""

_BASE = 0x9E3779B97F4A7C15  # odd, so multiplication modulo 2**64 loses no bits


class Words:
    """Map words to 64-bit hashes that are the same in every process."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}

    def hashes(self, texts: Sequence[Sequence[str]]) -> tuple[Hashes, npt.NDArray[np.int64]]:
        """Return the hashes of the words of all texts, concatenated, and the index of each word's text."""
        for word in {word for words in texts for word in words} - self._of.keys():
            self._of[word] = int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest())
        row = np.fromiter((self._of[word] for words in texts for word in words), dtype=np.uint64)
        lengths = np.fromiter((len(words) for words in texts), dtype=np.int64, count=len(texts))
        return row, np.repeat(np.arange(len(texts)), lengths)


def hash_runs(row: Hashes, owners: npt.NDArray[np.int64], length: int) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Return a hash per run of ``length`` words within a text, and the position of its first word.

    Args:
        row: hashes of the words of all texts, concatenated.
        owners: the index of each word's text.
        length: words per run.
    """
    count = len(row) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    hashes = np.zeros(count, np.uint64)
    for shift in range(length):  # polynomial hash, modulo 2**64
        hashes = hashes * np.uint64(_BASE) + row[shift : shift + count]
    starts = np.nonzero(owners[:count] == owners[length - 1 :])[0]
    return hashes[starts], starts


class RunIndex:
    """An index of the runs of texts, with the first text of each run."""

    def __init__(self, words: Words, texts: Sequence[Sequence[str]], length: int) -> None:
        """Index the texts.

        Args:
            words: the hashes of words, also used for the texts in :meth:`shared`.
            texts: the words of each text.
            length: words per run.
        """
        row, owners = words.hashes(texts)
        hashes, starts = hash_runs(row, owners, length)
        self._hashes, first = np.unique(hashes, return_index=True)
        self._owners = owners[starts[first]]
        self._texts, self._length = texts, length

    def find_shared(
        self, row: Hashes, owners: npt.NDArray[np.int64], texts: Sequence[Sequence[str]]
    ) -> list[tuple[int, int, str]]:
        """Return (index of the text, index of the indexed text, first common run) per text with a common run.

        Args:
            row: hashes of the texts' words from :meth:`Words.hashes`.
            owners: the index of each word's text.
            texts: the words of the texts, to verify equal hashes.
        """
        hashes, starts = hash_runs(row, owners, self._length)
        if not len(self._hashes) or not len(hashes):
            return []
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        hits = np.nonzero(self._hashes[places] == hashes)[0]
        firsts = np.searchsorted(owners, np.arange(len(texts)))  # position of each text's first word
        found: list[tuple[int, int, str]] = []
        last = -1
        for hit in hits.tolist():
            place, other = int(owners[starts[hit]]), int(self._owners[places[hit]])
            if place == last:
                continue
            begin = int(starts[hit] - firsts[place])
            run = " ".join(texts[place][begin : begin + self._length])
            if f" {run} " in f" {' '.join(self._texts[other])} ":
                found.append((place, other, run))
                last = place
        return found
