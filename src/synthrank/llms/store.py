"""The store of replies: what was paid for once is found by the hash of its request.

A folder of segments (``segments.py``): every writer appends to a file of its own, created exclusively and named by
time, host, process and chance; nobody writes to another's, and nobody locks. So jobs on several hosts share a store on
a network file system, and a job killed at any moment leaves at most a part of one line, of a reply that was never
acknowledged. Segments are JSON lines that people and other programs can read.

Of replies with the same key the one that came first is given: by ``time``, then by segment and place. All of them
are kept, and all count as spent, since all were paid.

Why no library: SQLite, and diskcache on top of it, need locks that network file systems do not keep (sqlite.org, "How
To Corrupt An SQLite Database File", 2.1); lmdb's documentation forbids remote file systems; one file a reply takes a
million inodes for a study. None of them can be published as it lies.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from synthrank.errors import StoreError
from synthrank.files import atomic_path, read_jsonl
from synthrank.llms.lines import encode, prefix_of
from synthrank.llms.segment_writer import SegmentWriter
from synthrank.llms.segments import GONE, PATTERN, Segment
from synthrank.llms.store_view import Summary, View
from synthrank.records import Reply
from synthrank.texts import chunks

log = logging.getLogger(__name__)

T = TypeVar("T")

IMPORTED_AT_ONCE = 20_000
"""Replies of an import that are looked up and committed together, some 50 MB of memory."""

_TRIES = 20


def folder_of(store: Path, model: str) -> Path:
    """Return the folder of a model's replies below that of the whole store; ``/`` and the like become ``--``."""
    return store / (re.sub(r"[^\w.-]+", "--", model).lstrip(".") or "unnamed")


def spent_usd(store: Path) -> float:
    """Return the price of all replies of the whole store in US dollars, imported ones included."""
    return sum(ReplyStore(path).spent_usd() for path in store.glob("*") if path.is_dir())


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
    except OSError as error:  # an empty list would have everything paid again
        raise StoreError(f"{folder}: cannot be read ({error.strerror}); check rights and the disk") from error


class ReplyStore:
    """Replies in a folder, which is made when the first is added; a context manager, safe between threads."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder}: is a file; expected the folder of a store")
        self.folder = folder
        self._segments: dict[str, Segment] = {}
        self._writer: SegmentWriter | None = None
        self._view: View | None = None
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
            StoreError: a segment is of a newer version or cannot be read, or a key is none.
        """
        wanted = {key: prefix_of(key) for key in keys}

        def look_up(view: View) -> dict[str, Reply]:
            found, suspects = view.find(wanted)
            for segment in suspects:
                log.warning("%s: is not what its index says; it is read again", segment.path)
                segment.rescan()
            if suspects:
                found, _ = View(self._active()).find(wanted)
                self._view = None
            return found

        return self._with_view(look_up)

    def add(self, reply: Reply) -> None:
        """Store a reply; when this returns, it outlives a kill and a power cut. See :meth:`add_all`."""
        self.add_all([reply])

    def add_all(self, replies: Sequence[Reply]) -> None:
        """Store replies by one write and one fsync, whatever their number.

        Raises:
            StoreError: a reply has no key, the disk is full, or the store is closed; none of these replies counts as
                stored then, all earlier ones do.
        """
        with self._lock:
            if self._closed:
                raise StoreError(f"{self.folder}: the store is closed; open it again to add")
            for reply in replies:
                prefix_of(reply.key)
            if not replies:
                return
            # a segment has one writer: neither a forked process nor one whose last write failed goes on with it
            if self._writer and (self._writer.failed or self._writer.pid != os.getpid()):
                self._writer.close()
                self._writer = None
            if not self._writer:
                self._writer = SegmentWriter(self.folder)
                self._segments[self._writer.segment.path.name] = self._writer.segment
            self._writer.append(replies)
            self._view = None

    def add_new(self, replies: Sequence[Reply]) -> int:
        """Store those replies whose keys are not there, of several with one key the first; return how many."""
        with self._lock:
            known = self.find(reply.key for reply in replies)
            fresh = {reply.key: reply for reply in reversed(replies) if reply.key not in known}
            self.add_all(list(reversed(fresh.values())))
            return len(fresh)

    def spent_usd(self) -> float:
        """Return the price of all replies in US dollars, imported ones included."""
        return self._with_view(View.spent_usd)

    def summary(self) -> Summary:
        """Return what the store holds, by model too."""
        return self._with_view(View.summary)

    def replies(self) -> Iterator[Reply]:
        """Yield every reply once, the first of those that share a key, in the order in which they stand.

        Raises:
            StoreError: the store was merged meanwhile.
        """
        try:
            for reply in self._with_view(View.replies):
                if reply is None:
                    log.warning("%s: a line was broken while the store was read; it is passed over", self.folder)
                else:
                    yield reply
        except OSError as error:
            raise StoreError(f"{self.folder}: was changed while it was read ({error}); run again") from error

    def export(self, path: Path) -> int:
        """Write every reply once as JSON lines, whole or not at all, and return how many."""
        return write_replies(path, self.replies())

    def import_(self, path: Path) -> tuple[int, int]:
        """Store the replies of an export whose keys are not there.

        Returns:
            how many were new, and how many were there (or twice in the file).

        Raises:
            DataError: a line is no reply; import the mended file again, what is there by now is passed over.
            StoreError: a reply has no key, or cannot be stored.
        """
        new = total = 0
        for chunk in chunks(read_jsonl(path, Reply), IMPORTED_AT_ONCE):
            new, total = new + self.add_new(chunk), total + len(chunk)
        return new, total - new

    def _with_view(self, use: Callable[[View], T]) -> T:
        """Return what ``use`` makes of the present state; again where a segment was merged meanwhile."""
        with self._lock:
            for attempt in range(_TRIES):
                try:
                    self._refresh()
                    self._view = self._view or View(self._active())
                    return use(self._view)
                except OSError as error:
                    if error.errno not in GONE:
                        raise StoreError(f"{self.folder}: cannot be read ({error}); check rights and disk") from error
                    time.sleep(min(0.01 * 2**attempt, 1.0))
            raise StoreError(f"{self.folder}: segments vanish while they are read; run again when the merge is done")

    def _refresh(self) -> None:
        """Take note of new segments, of new lines and of segments that are gone.

        Raises:
            OSError: one vanished since the folder was listed.
        """
        paths = {path.name: path for path in segment_paths(self.folder)}
        if self._writer:  # which a network file system may not list yet
            paths.setdefault(self._writer.segment.path.name, self._writer.segment.path)
        for name in self._segments.keys() - paths.keys():
            del self._segments[name]
            self._view = None
        for name, path in paths.items():
            segment = self._segments.get(name) or Segment(path)
            if segment.refresh():
                self._view = None
            self._segments[name] = segment

    def _active(self) -> list[Segment]:
        """Return the segments in the order of their names, without those whose replies are in a merged one too."""
        replaced = {name for segment in self._segments.values() for name in segment.replaces}
        return [segment for name, segment in sorted(self._segments.items()) if name not in replaced]


def write_replies(path: Path, replies: Iterable[Reply]) -> int:
    """Write replies as JSON lines, whole or not at all, and return how many."""
    count = 0
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        for reply in replies:
            stream.write(encode(reply))
            count += 1
        stream.flush()
        os.fsync(stream.fileno())
    return count
