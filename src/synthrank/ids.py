"""Ids of passages by their place, in a file that may be too large to hold as text."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from synthrank.errors import DataError

_AT_ONCE = 2**24
_NEWLINE = 10


def id_line(name: str) -> str:
    """Return an id as a line: a JSON string, since an id may hold anything."""
    return json.dumps(name) + "\n"


def write_ids(path: Path, names: Iterable[str]) -> None:
    """Write ids, one a line."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(map(id_line, names))


class Ids:
    """The ids of a file that is memory-mapped; 8 bytes of each are held."""

    def __init__(self, path: Path, rows: int) -> None:
        """Find the lines.

        Args:
            path: JSON strings, one a line.
            rows: how many there must be.

        Raises:
            DataError: there are more, or fewer.
        """
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.zeros(0, np.uint8)
        starts = range(0, len(self._bytes), _AT_ONCE)
        ends = [np.flatnonzero(self._bytes[start : start + _AT_ONCE] == _NEWLINE) + start for start in starts]
        self._ends = np.concatenate([np.array([-1]), *ends])
        if len(self) != rows:
            raise DataError(f"{path}: {len(self):,} ids of {rows:,} vectors; delete the folder, run again")

    def __len__(self) -> int:
        """Return how many ids there are."""
        return len(self._ends) - 1

    def __getitem__(self, place: int) -> str:
        """Return the id at a place, from 0."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        name: str = json.loads(self._bytes[self._ends[place] + 1 : self._ends[place + 1]].tobytes())
        return name

    def __iter__(self) -> Iterator[str]:
        """Yield all ids, in their order."""
        return (self[place] for place in range(len(self)))
