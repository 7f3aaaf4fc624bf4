"""One file of the store: a header line, replies, and an end line once its writer has closed it.

Beside a segment lies its index, derived and never needed: what a scan of the first ``covers`` bytes finds. A segment
only grows, so what an index says stays true; the bytes behind it are scanned. An index that fails its checksum, or
covers more than the segment has, is made anew. It is read whole, not memory-mapped: a mapped file that another host
replaces on a network file system kills the reader with SIGBUS, and a million rows are 42 MB.
"""

import errno
import json
import logging
import os
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from synthrank.errors import StoreError
from synthrank.files import atomic_path
from synthrank.llms.lines import ROW, Rows, decode, empty, pack

log = logging.getLogger(__name__)

FORMAT, VERSION = "synthrank-replies", 1
INDEX_FORMAT = "synthrank-replies-index-1"
PATTERN = "replies-*.jsonl"
INDEX_FROM = 1 << 16
"""Bytes from which an index pays: 50 replies are scanned in a millisecond."""

SETTLED_S = 600.0
"""Seconds after which bytes that are zero are taken for damage: a network file system may show them for a moment."""

GONE = {errno.ENOENT, errno.ESTALE}
"""What a read says of a segment that was merged into another, here or on another host."""

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, StoreError, RecursionError)


def header(**more: Any) -> bytes:
    """Return the first line of a segment."""
    return json.dumps({"format": FORMAT, "version": VERSION, **more}).encode() + b"\n"


def end(replies: int) -> bytes:
    """Return the last line of a segment that is closed."""
    return json.dumps({"end": replies}).encode() + b"\n"


class Segment:
    """The complete lines of a segment, which may be growing.

    ``broken`` counts lines in it that are no replies, ``partial`` the cut line at its end (0 or 1), ``replaces`` names
    the segments whose replies were merged into this one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reset()
        self.replaces: frozenset[str] = frozenset()

    def _reset(self) -> None:
        self.size = self.covered = self.broken = self.partial = self._saved = 0
        self.closed = self._waiting = False
        self.models: dict[str, int] = {}
        self._rows, self._new = empty(), bytearray()

    @property
    def rows(self) -> Rows:
        """Rows of all replies in the order of their places in the file."""
        if self._new:
            self._rows = np.concatenate([self._rows, np.frombuffer(bytes(self._new), ROW)])
            self._new.clear()
        return self._rows

    def appended(self, rows: bytes, size: int) -> None:
        """Take note of what this process itself has appended: packed rows, and the size that the file has now."""
        self._new += rows
        self.size = self.covered = size

    def refresh(self) -> bool:
        """Read what is new in the file and return whether there was anything.

        Raises:
            OSError: it was merged into another (``GONE``).
            StoreError: it was written by a newer version, or cannot be read.
        """
        try:
            size = os.stat(self.path).st_size
            if size == self.size and self.covered and not self._waiting:
                return False
            if size < self.covered:
                self._reset()
            if not self.covered and self._read_header(size):
                self._load_index(size)
            if self.covered < size and self.covered:
                self._scan()
            self.size = size
        except OSError as error:
            if error.errno in GONE:
                raise
            raise StoreError(f"{self.path}: cannot be read ({error.strerror}); check rights and the disk") from error
        if self.covered - self._saved >= max(INDEX_FROM, self._saved // 4):
            self.save_index()
        return True

    def rescan(self) -> None:
        """Read the whole file again, whatever its index says."""
        self._index_path.unlink(missing_ok=True)
        self._reset()
        self.refresh()

    def _read_header(self, size: int) -> bool:
        """Return whether there is a complete first line; what is behind a broken one is read nonetheless."""
        with self.path.open("rb") as stream:
            line = stream.readline()
        self.partial = int(size > 0 and not line.endswith(b"\n"))
        if not line.endswith(b"\n"):
            return False
        self.covered = len(line)
        try:
            value = json.loads(line)
            if value["format"] != FORMAT:
                raise ValueError
            version = int(value["version"])
            self.replaces = frozenset(value.get("replaces", ()))
        except UNREADABLE:
            self._warn(0, "its first line is no header of a segment")
            return True
        if version > VERSION:
            raise StoreError(
                f"{self.path}: written by a newer synthrank (format {version}, this one reads {VERSION}); "
                "upgrade synthrank"
            )
        return True

    def _scan(self) -> None:
        with self.path.open("rb") as stream:
            stream.seek(self.covered)
            self.partial, self._waiting = 0, False
            for line in stream:
                if not line.endswith(b"\n"):
                    self.partial = 1
                    break
                if b"\0" in line and time.time() - os.fstat(stream.fileno()).st_mtime < SETTLED_S:
                    self._waiting = True
                    break
                try:
                    self._new += pack(decode(line), self.covered, len(line), self.models)
                except UNREADABLE as error:
                    self.closed = line.startswith(b'{"end": ')
                    if not self.closed:
                        self._warn(self.covered, str(error))
                self.covered += len(line)

    def _warn(self, offset: int, why: str) -> None:
        self.broken += 1
        log.warning("%s: the line at byte %d is not read: %s", self.path, offset, " ".join(why.split()) or "no reply")

    @property
    def _index_path(self) -> Path:
        return self.path.with_suffix(".index")

    def save_index(self) -> None:
        """Write the index; it is not needed, so a folder that cannot be written is no error."""
        if self.covered < INDEX_FROM:
            return
        body = self.rows.tobytes()
        head = {
            "format": INDEX_FORMAT,
            "covers": self.covered,
            "broken": self.broken,
            "closed": self.closed,
            "models": list(self.models),
        }
        line = json.dumps(head).encode() + b"\n"
        try:
            with atomic_path(self._index_path) as path:
                path.write_bytes(zlib.crc32(body, zlib.crc32(line)).to_bytes(4, "little") + line + body)
            self._saved = self.covered
        except OSError as error:
            log.debug("%s: no index written: %s", self.path, error)

    def _load_index(self, size: int) -> None:
        try:
            content = self._index_path.read_bytes()
            line, _, body = content[4:].partition(b"\n")
            value = json.loads(line)
            if zlib.crc32(content[4:]).to_bytes(4, "little") != content[:4] or value["format"] != INDEX_FORMAT:
                raise ValueError("it fails its checksum")
            if value["covers"] > size:
                raise ValueError("it covers more than the segment has")
            rows = np.frombuffer(body, ROW)
        except FileNotFoundError:
            return
        except (*UNREADABLE, OSError) as error:
            log.info("%s: made anew: %s", self._index_path, error)
            return
        self._rows, self.models = rows, {name: place for place, name in enumerate(value["models"])}
        self.covered = self._saved = value["covers"]
        self.broken, self.closed = value["broken"], value["closed"]
