"""Appends the lines of replies to a segment of its own, so that they are on the disk when it returns."""

import errno
import json
import logging
import os
import re
import socket
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synthrank.errors import StoreError
from synthrank.llms.segments import FORMAT, VERSION

log = logging.getLogger(__name__)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def segment_name(stamp: str = "") -> str:
    """Return a name that no other segment has: when (UTC), host, process and a random part."""
    stamp = stamp or datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    host = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower())[:40]
    return f"replies-{stamp}-{host}-{os.getpid()}-{uuid.uuid4().hex[:12]}.jsonl"


def header(**more: Any) -> bytes:
    """Return the first line of a segment."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"format": FORMAT, "version": VERSION, "created": created, **more}).encode() + b"\n"


def end(replies: int) -> bytes:
    """Return the last line of a segment that is closed."""
    return json.dumps({"end": replies}).encode() + b"\n"


class SegmentWriter:
    """One segment, created when this is made; ``pid`` is the process that may write to it."""

    def __init__(self, folder: Path) -> None:
        """Create the segment, durably, under a name of its own.

        Raises:
            StoreError: the disk is full or the folder cannot be written.
        """
        self.pid = os.getpid()
        self.failed = False
        self.path = folder / segment_name()
        self._fd = -1
        self._size = self._replies = 0
        try:
            _make_folder(folder)
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            self._commit(header())
            sync_folder(folder)
        except OSError as error:
            raise self._failure(error) from error

    def append(self, lines: Sequence[bytes]) -> None:
        """Write the lines of replies and wait until the disk has them: one write and one fsync for all.

        Raises:
            StoreError: the disk is full; none of these replies counts as stored then.
        """
        try:
            self._commit(b"".join(lines))
        except OSError as error:
            raise self._failure(error) from error
        self._replies += len(lines)
        if os.fstat(self._fd).st_nlink == 0:
            self.failed = True
            raise StoreError(f"{self.path}: was removed while a job wrote it; leave the store to its jobs")

    def close(self) -> None:
        """Write the end line; replies are safe without it."""
        if self._fd < 0:
            return
        if self.pid == os.getpid() and not self.failed:
            try:
                self._commit(end(self._replies))
            except OSError as error:
                log.warning("%s: its end could not be written (%s); no reply is lost", self.path, error)
        os.close(self._fd)
        self._fd = -1

    def _commit(self, content: bytes) -> None:
        view = memoryview(content)
        while view:  # a disk that fills up takes a part first
            view = view[os.write(self._fd, view) :]
        os.fsync(self._fd)
        self._size += len(content)

    def _failure(self, error: OSError) -> StoreError:
        """Give the segment up: after a failed fsync nobody knows what the disk has of the last lines."""
        self.failed = True
        if self._fd >= 0:
            try:
                os.ftruncate(self._fd, self._size)
            except OSError as second:
                log.warning("%s: may end in a part of a line, which readers ignore (%s)", self.path, second)
        folder = self.path.parent
        if error.errno in _FULL:
            return StoreError(
                f"{folder}: the disk mounted at {_mount(folder)} is full ({error.strerror}); nothing already stored is "
                "lost; free space and run again"
            )
        return StoreError(
            f"{folder}: cannot be written ({error.strerror}); nothing already stored is lost; check rights and the disk"
        )


def _make_folder(folder: Path) -> None:
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the file system can."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


def _mount(folder: Path) -> Path:
    path = folder.absolute()
    while not path.is_mount() and path != path.parent:
        path = path.parent
    return path
