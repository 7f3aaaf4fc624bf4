"""The store of replies: finds a paid reply by the hash of its request.

A store is a folder of segments (``segments.py``). Every writer creates a separate file, named by time, host, process
and a random part. No process writes to the file of another process, and no locks are needed. Jobs on several hosts can
therefore share a store on a network file system. A job that is killed leaves at most one incomplete line, of a reply
that was never acknowledged. Segments are JSON lines, readable by people and other programs.

A process that opens a store scans its segments once, and later only their new lines. If several replies have the same
key, the earliest is returned, by ``time``, then by segment and offset. All of them are kept and count as spent, because
all were paid for.

Alternatives: SQLite, and diskcache on top of it, need locks that network file systems do not support reliably
(sqlite.org, "How To Corrupt An SQLite Database File", 2.1); lmdb's documentation forbids remote file systems; one file
per reply takes a million inodes per study.
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

from synthrank.data.records import Reply
from synthrank.errors import StoreError
from synthrank.llms.store.attempts import attempts_usd
from synthrank.llms.store.segment_writer import SegmentWriter
from synthrank.llms.store.segments import GONE, PATTERN, Segment, encode, key_number

T = TypeVar("T")

_TRIES = 20

BATCHES = "batches"
"""Folder of a model's journal of batches and of its failed attempts, in its folder of replies."""


def folder_of(store: Path, model: str) -> Path:
    """Return the folder of a model's replies in the store; ``/`` and similar characters become ``--``."""
    return store / (re.sub(r"[^\w.-]+", "--", model).lstrip(".") or "unnamed")


def open_store(folder: Path) -> "ReplyStore":
    """Return the store of a folder. It is closed when the process ends.

    Later calls return the same object, so that its segments are scanned only once per process.
    """
    return _open_store(folder.absolute())


@cache
def _open_store(folder: Path) -> "ReplyStore":
    store = ReplyStore(folder)
    atexit.register(store.close)
    return store


def spent_usd(store: Path) -> float:
    """Return the price of the whole store in US dollars.

    It is the price of all replies, imported ones included, and the highest price of failed attempts that the provider
    may have billed.
    """
    return sum(open_store(path).spent_usd() + attempts_usd(path / BATCHES) for path in store.glob("*/"))


def segment_paths(folder: Path) -> list[Path]:
    """Return the segments of a folder, the oldest first.

    The folder is listed until two listings agree, because a listing during a merge may lack both old and new files.
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
    except OSError as error:  # with an empty list, all requests would be paid for again
        raise StoreError(f"{folder}: cannot be read ({error.strerror}); check permissions and disk") from error


@dataclass(slots=True)
class Totals:
    """Number, tokens and price of replies; tokens and dollars include duplicate replies."""

    replies: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0

    def add(self, other: "Totals") -> None:
        """Add the totals of other replies."""
        self.replies += other.replies
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.usd += other.usd


@dataclass(slots=True)
class StoreSummary:
    """Counts of a store.

    ``duplicates`` are repeated replies to the same request, ``broken`` are lines that are not replies, ``partial`` are
    incomplete lines at the end of a segment, left by a killed writer or a running one.
    """

    replies: int = 0
    duplicates: int = 0
    segments: int = 0
    bytes: int = 0
    broken: int = 0
    partial: int = 0
    models: dict[str, Totals] = field(default_factory=dict)


class ReplyStore:
    """Replies in a folder, which is created with the first reply. A context manager; thread-safe."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder}: not a folder; expected the folder of a store")
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
        """Close the segment of this store, if it has one. No reply can be added afterwards."""
        with self._lock:
            if self._writer:
                self._writer.close()
            self._writer, self._closed = None, True

    def find(self, keys: Iterable[str]) -> dict[str, Reply]:
        """Return the stored replies by key, in the order of the keys, including replies of running jobs.

        Raises:
            StoreError: a segment has a newer version or cannot be read, or a key is invalid.
        """
        wanted = {key_number(key): key for key in keys}
        found = self._read(lambda segments: _first_replies(segments, wanted.keys()))
        return {key: found[key] for key in wanted.values() if key in found}

    def add(self, reply: Reply) -> None:
        """Store a reply durably; see :meth:`add_all`."""
        self.add_all([reply])

    def add_all(self, replies: Sequence[Reply]) -> None:
        """Store replies with one write and one fsync. On return they survive a kill and a power failure.

        Raises:
            StoreError: a reply has no key or cannot be stored, the disk is full, or the store is closed. Then none of
                these replies is stored; earlier replies are.
        """
        with self._lock:
            if self._closed:
                raise StoreError(f"{self.folder}: the store is closed; open it again to add replies")
            lines = [encode(reply) for reply in replies]
            if not lines:
                return
            self._own_writer().append(lines)

    def prepare(self, size: int) -> None:
        """Make sure that replies can be kept before they are paid for: create the segment and keep room on the disk.

        Args:
            size: bytes of the replies that may be in flight.

        Raises:
            StoreError: the folder cannot be written, or the disk is too full.
        """
        with self._lock:
            self._own_writer().reserve(size)

    def _own_writer(self) -> SegmentWriter:
        """Return the writer. A forked process, or a writer whose last write failed, starts a new segment."""
        if self._writer and (self._writer.failed or self._writer.pid != os.getpid()):
            self._writer.close()
            self._writer = None
        if not self._writer:
            self._writer = SegmentWriter(self.folder)
        return self._writer

    def add_new(self, replies: Sequence[Reply]) -> int:
        """Store the replies whose keys are new, the first one per key; return their number."""
        with self._lock:
            known = self.find(reply.key for reply in replies)
            fresh = {reply.key: reply for reply in reversed(replies) if reply.key not in known}
            self.add_all(list(reversed(fresh.values())))
            return len(fresh)

    def spent_usd(self) -> float:
        """Return the price of all replies in US dollars, imported ones included."""
        return self._read(lambda segments: sum(segment.usd for segment in segments))

    def summary(self) -> StoreSummary:
        """Return the counts of the store, in total and per model."""
        return self._read(_summary)

    def replies(self) -> Iterator[Reply]:
        """Yield the earliest reply per key, in the order of the segments.

        Raises:
            StoreError: segments were merged in the meantime.
        """
        segments = self._read(list)
        seen: set[int] = set()
        several: set[int] = set()
        for segment in segments:
            several |= segment.repeated.keys() | (segment.places.keys() & seen)
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
            raise StoreError(f"{self.folder}: changed while it was read ({error}); run again") from error

    def _read(self, use: Callable[[list[Segment]], T]) -> T:
        """Return the result of ``use`` on the current segments; repeat if a segment was merged in the meantime."""
        with self._lock:
            for attempt in range(_TRIES):
                try:
                    return use(self._refreshed())
                except OSError as error:
                    if error.errno not in GONE:
                        message = f"{self.folder}: cannot be read ({error}); check permissions and disk"
                        raise StoreError(message) from error
                    time.sleep(min(0.01 * 2**attempt, 1.0))
            raise StoreError(f"{self.folder}: a merge is removing segments; run again when it is done")

    def _refreshed(self) -> list[Segment]:
        """Return the segments in the order of their names, without segments that were merged into another one.

        Raises:
            OSError: a segment was removed after the folder was listed.
        """
        paths = set(segment_paths(self.folder))
        if self._writer:  # a network file system may not list its segment yet
            paths.add(self._writer.path)
        self._segments = {path: self._segments.get(path) or Segment(path) for path in sorted(paths)}
        for segment in self._segments.values():
            segment.refresh()
        replaced = {name for segment in self._segments.values() for name in segment.replaces}
        return [segment for path, segment in self._segments.items() if path.name not in replaced]


def _first_replies(segments: Iterable[Segment], numbers: Set[int]) -> dict[str, Reply]:
    """Return the earliest reply per key, for some keys."""
    first: dict[str, Reply] = {}
    for segment in segments:
        for reply in segment.read(segment.offsets(numbers)):
            if reply.key not in first or reply.time < first[reply.key].time:
                first[reply.key] = reply
    return first


def _summary(segments: Iterable[Segment]) -> StoreSummary:
    """Return the counts of some segments, with every line fully parsed."""
    found, seen = StoreSummary(), set[int]()
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
