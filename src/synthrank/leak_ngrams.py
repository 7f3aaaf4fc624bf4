"""Which texts share a run of n words with one of many others, found by hashes of the runs."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
"""64-bit hashes: of words, in their order, or of runs of words."""

_BASE = 0x9E3779B97F4A7C15  # odd, so that no power of it loses bits


class Words:
    """Gives every word a hash of 64 bits, the same in every process."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}

    def hashes(self, texts: Sequence[Sequence[str]]) -> tuple[Hashes, npt.NDArray[np.int64]]:
        """Return the hashes of the words of all texts in one row, and for each word the place of its text."""
        for word in {word for words in texts for word in words} - self._of.keys():
            self._of[word] = int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest())
        row = np.fromiter((self._of[word] for words in texts for word in words), dtype=np.uint64)
        lengths = np.fromiter((len(words) for words in texts), dtype=np.int64, count=len(texts))
        return row, np.repeat(np.arange(len(texts)), lengths)


def runs(row: Hashes, owners: npt.NDArray[np.int64], length: int) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Return a hash for every run of ``length`` words that lies in one text, and the place of its first word.

    Args:
        row: hashes of words, texts one after another.
        owners: for each word the place of its text.
        length: words a run.
    """
    count = len(row) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    hashes = np.zeros(count, np.uint64)
    for shift in range(length):  # a polynomial of the words' hashes, modulo 2 ** 64
        hashes = hashes * np.uint64(_BASE) + row[shift : shift + count]
    starts = np.nonzero(owners[:count] == owners[length - 1 :])[0]
    return hashes[starts], starts


class RunIndex:
    """The runs of some texts, each with the first text that has it."""

    def __init__(self, words: Words, texts: Sequence[Sequence[str]], length: int) -> None:
        """Index the texts.

        Args:
            words: gives the hashes of words; the same for texts that are looked up.
            texts: the words of each text.
            length: words a run.
        """
        row, owners = words.hashes(texts)
        hashes, starts = runs(row, owners, length)
        self._hashes, first = np.unique(hashes, return_index=True)
        self._owners = owners[starts[first]]
        self._texts, self._length = texts, length

    def shared(
        self, row: Hashes, owners: npt.NDArray[np.int64], texts: Sequence[Sequence[str]]
    ) -> list[tuple[int, int, str]]:
        """Return, for each text that shares a run, (its place, the place of the indexed text, the first shared run).

        Args:
            row: hashes of the texts' words, as :meth:`Words.hashes` gives them.
            owners: the place of each word's text.
            texts: the words of the texts themselves; equal hashes are checked against them.
        """
        hashes, starts = runs(row, owners, self._length)
        if not len(self._hashes) or not len(hashes):
            return []
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        hits = np.nonzero(self._hashes[places] == hashes)[0]
        firsts = np.searchsorted(owners, np.arange(len(texts)))  # where each text begins in the row
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
