"""The store of replies: what was paid for once is found by the hash of its request.

A folder of segments (``segments.py``): every writer appends to a file of its own, created exclusively and named by
time, host, process and chance; no process writes to the file of another, and none locks. So jobs on several hosts share
a store on a network file system, and a job killed at any moment leaves at most a part of one line, of a reply that was
never acknowledged. Segments are JSON lines that people and other programs can read.

A process that opens a store scans its segments once, then only what is new in them. Of replies with the same key the
one that came first is given: by ``time``, then by segment and offset. All of them are kept, and all count as spent,
since all were paid.

Why no library: SQLite, and diskcache on top of it, need locks that network file systems do not keep (sqlite.org, "How
To Corrupt An SQLite Database File", 2.1); lmdb's documentation forbids remote file systems; one file per reply takes a
million inodes for a study. None of them can be published as it is.
"""

import atexit
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from synthrank.errors import StoreError
from synthrank.llms.segment_writer import SegmentWriter
from synthrank.llms.segments import GONE, PATTERN, Segment, encode, key_number
from synthrank.records import Reply

T = TypeVar("T")

_TRIES = 20


def folder_of(store: Path, model: str) -> Path:
    """Return the folder of a model's replies below that of the whole store; ``/`` and the like become ``--``."""
    return store / (re.sub(r"[^\w.-]+", "--", model).lstrip(".") or "unnamed")


def open_store(folder: Path) -> "ReplyStore":
    """Return the store of a folder, the same object each time, which is closed when the process ends.

    So its segments are scanned once per process, however often its replies and its dollars are asked for.
    """
    return _open_store(folder.absolute())


@cache
def _open_store(folder: Path) -> "ReplyStore":
    store = ReplyStore(folder)
    atexit.register(store.close)
    return store


def spent_usd(store: Path) -> float:
    """Return the price of all replies of the whole store in US dollars, imported ones included."""
    return sum(open_store(path).spent_usd() for path in store.glob("*/"))


def segment_paths(folder: Path) -> list[Path]:
    """Return the segments of a folder, the oldest first.

    It is listed until two listings agree: one during a merge may miss both the new file and the old ones.
    """
    try:
        names: list[str] = []
        for _ in range(_TRIES):
            before, names = names, sorted(name for name in os.listdir(folder) if fnmatchcase(name, PATTERN))
            if before == names:
                break
        return [folder / name for name in names]
    except FileNotFoundError:
        return []
    except OSError as error:  # with an empty list everything would be paid again
        raise StoreError(f"{folder}: cannot be read ({error.strerror}); check rights and the disk") from error


@dataclass(slots=True)
class Totals:
    """Number, tokens and price of some replies; tokens and dollars include replies that were paid twice."""

    replies: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0

    def add(self, other: "Totals") -> None:
        """Count other replies too."""
        self.replies += other.replies
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.usd += other.usd


@dataclass(slots=True)
class Summary:
    """What a store holds.

    ``duplicates`` are further replies to a request that has one, ``broken`` lines that are not replies, ``partial``
    cut lines at the end of a segment, as a killed writer or one at work leaves them.
    """

    replies: int = 0
    duplicates: int = 0
    segments: int = 0
    bytes: int = 0
    broken: int = 0
    partial: int = 0
    models: dict[str, Totals] = field(default_factory=dict)


class ReplyStore:
    """Replies in a folder, which is made when the first is added; a context manager, safe between threads."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder}: is a file; expected the folder of a store")
        self.folder = folder
        self._segments: dict[Path, Segment] = {}
        self._writer: SegmentWriter | None = None
        self._lock = threading.RLock()
        self._closed = False

    def __enter__(self) -> "ReplyStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the segment of this store, if it has one; nothing can be added any more."""
        with self._lock:
            if self._writer:
                self._writer.close()
            self._writer, self._closed = None, True

    def find(self, keys: Iterable[str]) -> dict[str, Reply]:
        """Return the replies that are stored, in the order of the keys, those of jobs still at work included.

        Raises:
            StoreError: a segment is of a newer version or cannot be read, or a key is invalid.
        """
        wanted = {key_number(key): key for key in keys}
        found = self._read(lambda segments: _first_replies(segments, wanted.keys()))
        return {key: found[key] for key in wanted.values() if key in found}

    def add(self, reply: Reply) -> None:
        """Store a reply; when this returns, it outlives a kill and a power cut. See :meth:`add_all`."""
        self.add_all([reply])

    def add_all(self, replies: Sequence[Reply]) -> None:
        """Store replies by one write and one fsync, whatever their number.

        Raises:
            StoreError: a reply has no key or cannot be stored, the disk is full, or the store is closed; none of these
                replies counts as stored then, all earlier ones do.
        """
        with self._lock:
            if self._closed:
                raise StoreError(f"{self.folder}: the store is closed; open it again to add")
            lines = [encode(reply) for reply in replies]
            if not lines:
                return
            # a segment has one writer: neither a forked process nor one whose last write failed may continue it
            if self._writer and (self._writer.failed or self._writer.pid != os.getpid()):
                self._writer.close()
                self._writer = None
            if not self._writer:
                self._writer = SegmentWriter(self.folder)
            self._writer.append(lines)

    def add_new(self, replies: Sequence[Reply]) -> int:
        """Store those replies whose keys are not there, of several with one key the first; return how many."""
        with self._lock:
            known = self.find(reply.key for reply in replies)
            fresh = {reply.key: reply for reply in reversed(replies) if reply.key not in known}
            self.add_all(list(reversed(fresh.values())))
            return len(fresh)

    def spent_usd(self) -> float:
        """Return the price of all replies in US dollars, imported ones included."""
        return self._read(lambda segments: sum(segment.usd for segment in segments))

    def summary(self) -> Summary:
        """Return what the store holds, by model too."""
        return self._read(_summary)

    def replies(self) -> Iterator[Reply]:
        """Yield every reply once, the first of those that share a key, in the order of the segments.

        Raises:
            StoreError: the store was merged meanwhile.
        """
        segments = self._read(list)
        seen: set[int] = set()
        several: set[int] = set()
        for segment in segments:
            several |= segment.further.keys() | (segment.places.keys() & seen)
            seen |= segment.places.keys()
        try:
            first = _first_replies(segments, several)
            for segment in segments:
                for reply in segment.read(segment.offsets()):
                    if key_number(reply.key) not in several:
                        yield reply
                    elif reply.key in first:
                        yield first.pop(reply.key)
        except OSError as error:
            raise StoreError(f"{self.folder}: was changed while it was read ({error}); run again") from error

    def _read(self, use: Callable[[list[Segment]], T]) -> T:
        """Return what ``use`` makes of the segments as they are now; again if one was merged meanwhile."""
        with self._lock:
            for attempt in range(_TRIES):
                try:
                    return use(self._refreshed())
                except OSError as error:
                    if error.errno not in GONE:
                        raise StoreError(f"{self.folder}: cannot be read ({error}); check rights and disk") from error
                    time.sleep(min(0.01 * 2**attempt, 1.0))
            raise StoreError(f"{self.folder}: segments vanish while they are read; run again when the merge is done")

    def _refreshed(self) -> list[Segment]:
        """Return the segments in the order of their names, without those whose replies are in a merged one too.

        Raises:
            OSError: one vanished since the folder was listed.
        """
        paths = set(segment_paths(self.folder))
        if self._writer:  # which a network file system may not list yet
            paths.add(self._writer.path)
        self._segments = {path: self._segments.get(path) or Segment(path) for path in sorted(paths)}
        for segment in self._segments.values():
            segment.refresh()
        replaced = {name for segment in self._segments.values() for name in segment.replaces}
        return [segment for path, segment in self._segments.items() if path.name not in replaced]


def _first_replies(segments: Iterable[Segment], numbers: Set[int]) -> dict[str, Reply]:
    """Return the replies to some keys by key, of several to one the first by time."""
    first: dict[str, Reply] = {}
    for segment in segments:
        for reply in segment.read(segment.offsets(numbers)):
            if reply.key not in first or reply.time < first[reply.key].time:
                first[reply.key] = reply
    return first


def _summary(segments: Iterable[Segment]) -> Summary:
    """Return what some segments hold, every line parsed whole."""
    found, seen = Summary(), set[int]()
    for segment in segments:
        offsets = segment.offsets()
        unread = len(offsets)
        for reply in segment.read(offsets):
            number = key_number(reply.key)
            part = Totals(number not in seen, reply.tokens_in, reply.tokens_out, reply.price_usd)
            found.models.setdefault(reply.model, Totals()).add(part)
            found.duplicates += number in seen
            seen.add(number)
            unread -= 1
        found.segments += 1
        found.bytes += segment.size
        found.broken += segment.broken + unread
        found.partial += segment.partial
    found.replies, found.models = len(seen), dict(sorted(found.models.items()))
    return found
