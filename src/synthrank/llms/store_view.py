"""What the segments of a store hold together, at one moment."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from synthrank.llms.lines import decode, empty
from synthrank.llms.segments import UNREADABLE, Segment
from synthrank.records import Reply


@dataclass(frozen=True, slots=True)
class ModelTotals:
    """What the store holds of one model; tokens and dollars include replies that were paid twice."""

    replies: int
    tokens_in: int
    tokens_out: int
    usd: float


def total(parts: Sequence[ModelTotals]) -> ModelTotals:
    """Return the sums of several."""
    return ModelTotals(
        sum(part.replies for part in parts),
        sum(part.tokens_in for part in parts),
        sum(part.tokens_out for part in parts),
        sum(part.usd for part in parts),
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """What a store holds.

    ``duplicates`` are further replies to a request that has one, ``broken`` lines that are no replies, ``partial``
    cut lines at the end of a segment, as a killed writer or one at work leaves them.
    """

    replies: int
    duplicates: int
    segments: int
    bytes: int
    broken: int
    partial: int
    models: dict[str, ModelTotals] = field(default_factory=dict)


class View:
    """The rows of all segments, one after the other, and the order of their keys."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = list(segments)
        parts = [segment.rows for segment in segments]
        self._rows = np.concatenate(parts) if parts else empty()
        self._bounds = np.cumsum([0, *map(len, parts)])
        order = np.argsort(self._rows["prefix"], kind="stable")
        prefixes = self._rows["prefix"][order]
        same = np.zeros(len(order) + 1, bool)
        same[1:-1] = prefixes[1:] == prefixes[:-1]
        twice = same[:-1] | same[1:]
        if twice.any():  # only those with one key are put in the order of time; sorting all by it would take a second
            some = order[twice]
            order[twice] = some[np.lexsort((some, self._rows["time"][some], self._rows["prefix"][some]))]
        self._order, self._prefixes = order, prefixes
        self._first = np.zeros(len(order), bool)
        self._first[order[~same[:-1]]] = True

    def find(self, wanted: Mapping[str, int]) -> tuple[dict[str, Reply], set[Segment]]:
        """Return the replies of keys, in their order, and the segments that are not as their rows say.

        Args:
            wanted: the keys with their prefixes.

        Raises:
            OSError: a segment was merged into another, or cannot be read.
        """
        keys = list(wanted)
        numbers = np.array([wanted[key] for key in keys], np.uint64)
        starts = np.searchsorted(self._prefixes, numbers, "left")
        ends = np.searchsorted(self._prefixes, numbers, "right")
        found: dict[str, Reply] = {}
        suspects: set[Segment] = set()
        with _Files(self._segments) as files:
            hits = np.flatnonzero(starts < ends)
            for hit in hits[np.argsort(self._order[starts[hits]])]:  # from the front to the back of each file
                key = keys[hit]
                for place in self._order[starts[hit] : ends[hit]]:
                    owner = int(np.searchsorted(self._bounds, place, "right")) - 1
                    reply = _reply(files.line(owner, self._rows[place]))
                    if reply and reply.key == key:
                        found[key] = reply
                        break
                    if not reply or int(reply.key[:16], 16) != wanted[key]:
                        suspects.add(self._segments[owner])
        return {key: found[key] for key in keys if key in found}, suspects

    def replies(self) -> Iterator[Reply | None]:
        """Yield the first reply of every key, in the order in which they stand; None where a line is broken by now."""
        with _Files(self._segments) as files:
            for owner, (start, stop) in enumerate(itertools.pairwise(self._bounds)):
                for place in np.flatnonzero(self._first[start:stop]) + start:
                    yield _reply(files.line(owner, self._rows[place]))

    def spent_usd(self) -> float:
        """Return the price of all replies in US dollars."""
        return float(self._rows["price"].sum())

    def summary(self) -> Summary:
        """Return what there is, by model too."""
        models: dict[str, ModelTotals] = {}
        for segment, (start, stop) in zip(self._segments, itertools.pairwise(self._bounds), strict=True):
            rows, first = self._rows[start:stop], self._first[start:stop]
            for name, number in segment.models.items():
                mine = rows["model"] == number
                part = ModelTotals(
                    replies=int((mine & first).sum()),
                    tokens_in=int(rows["tokens_in"][mine].sum(dtype=np.int64)),
                    tokens_out=int(rows["tokens_out"][mine].sum(dtype=np.int64)),
                    usd=float(rows["price"][mine].sum()),
                )
                models[name] = total([models[name], part]) if name in models else part
        replies = int(self._first.sum())
        return Summary(
            replies=replies,
            duplicates=len(self._rows) - replies,
            segments=len(self._segments),
            bytes=sum(segment.size for segment in self._segments),
            broken=sum(segment.broken for segment in self._segments),
            partial=sum(segment.partial for segment in self._segments),
            models=dict(sorted(models.items())),
        )


def _reply(line: bytes) -> Reply | None:
    try:
        return decode(line)
    except UNREADABLE:
        return None


class _Files:
    """The segment that is read at the moment, open: a store may have more segments than a process may open files."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments
        self._owner = -1
        self._stream: BinaryIO | None = None

    def __enter__(self) -> "_Files":
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream:
            self._stream.close()

    def line(self, owner: int, row: np.void) -> bytes:
        """Return the line of a row of a segment."""
        if self._stream is None or owner != self._owner:
            self.__exit__()
            self._stream, self._owner = self._segments[owner].path.open("rb", buffering=0), owner
        self._stream.seek(int(row["offset"]))
        return self._stream.read(int(row["length"]))
