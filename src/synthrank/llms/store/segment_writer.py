"""Append replies durably to a new segment."""

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
from tempfile import TemporaryFile
from typing import IO, Any

from synthrank.errors import StoreError
from synthrank.llms.store.segments import FORMAT, VERSION

log = logging.getLogger(__name__)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def segment_name(stamp: str = "") -> str:
    """Return a unique name for a segment: UTC time, host, process and a random part."""
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
    """A new segment; ``pid`` is the only process that may write to it."""

    def __init__(self, folder: Path) -> None:
        """Create the segment durably, under a unique name.

        Raises:
            StoreError: the disk is full or the folder cannot be written.
        """
        self.pid = os.getpid()
        self.failed = False
        self.path = folder / segment_name()
        self._fd = -1
        self._size = self._replies = 0
        self._reserve: IO[bytes] | None = None
        try:
            _make_folder(folder)
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            self._commit(header())
            sync_folder(folder)
        except OSError as error:
            raise self._failure(error) from error

    def reserve(self, size: int) -> None:
        """Keep room on the disk for the replies in flight, if this writer does not keep it yet.

        The room is a file without a name, so that the kernel removes it with the process.

        Raises:
            StoreError: the disk is too full. Replies can still be appended, as far as there is room.
        """
        if self._reserve is not None:
            return
        try:
            reserve = TemporaryFile(dir=self.path.parent)  # noqa: SIM115  # open until the disk is full
            reserve.write(os.urandom(size))  # random bytes, because some file systems compress
            reserve.flush()
            os.fsync(reserve.fileno())
        except OSError as error:
            raise self._explained(error) from error
        self._reserve = reserve

    def _release(self) -> bool:
        """Give up the reserved room; return whether there was any."""
        reserve, self._reserve = self._reserve, None
        if reserve is not None:
            reserve.close()
        return reserve is not None

    def append(self, lines: Sequence[bytes]) -> None:
        """Write the lines of replies with one write and one fsync, and return when they are on the disk.

        If the disk is full, the reserved room is used.

        Raises:
            StoreError: the disk is full, so that none of these replies is stored, or the segment was removed.
        """
        content = b"".join(lines)
        try:
            try:
                self._commit(content)
            except OSError as error:
                if error.errno not in _FULL or not self._release():
                    raise
                os.ftruncate(self._fd, self._size)
                self._commit(content)
        except OSError as error:
            raise self._failure(error) from error
        self._replies += len(lines)
        if os.fstat(self._fd).st_nlink == 0:
            self.failed = True
            raise StoreError(f"{self.path}: removed while a job was writing it; do not change the store by hand")

    def close(self) -> None:
        """Write the end line and close the file. Replies are stored even without an end line."""
        self._release()
        if self._fd < 0:
            return
        if self.pid == os.getpid() and not self.failed:
            try:
                self._commit(end(self._replies))
            except OSError as error:
                log.warning("%s: the end line could not be written (%s); no reply is lost", self.path, error)
        os.close(self._fd)
        self._fd = -1

    def _commit(self, content: bytes) -> None:
        view = memoryview(content)
        while view:  # a write may be partial if the disk is almost full
            view = view[os.write(self._fd, view) :]
        os.fsync(self._fd)
        self._size += len(content)

    def _failure(self, error: OSError) -> StoreError:
        """Abandon the segment and return the error: after a failed fsync, the state of the last lines is unknown."""
        self.failed = True
        if self._fd >= 0:
            try:
                os.ftruncate(self._fd, self._size)
            except OSError as second:
                log.warning("%s: may end in an incomplete line, which readers ignore (%s)", self.path, second)
        return self._explained(error)

    def _explained(self, error: OSError) -> StoreError:
        folder = self.path.parent
        if error.errno in _FULL:
            return StoreError(
                f"{folder}: the disk mounted at {_mount(folder)} is full ({error.strerror}); stored replies are safe; "
                "free space and run again"
            )
        return StoreError(
            f"{folder}: cannot be written ({error.strerror}); stored replies are safe; check permissions and the disk"
        )


def _make_folder(folder: Path) -> None:
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, if the file system supports it."""
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
