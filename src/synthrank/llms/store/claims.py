"""Claims on requests, so that processes that share a store send each request once."""

import errno
import fcntl
import logging
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from synthrank.errors import StoreError

log = logging.getLogger(__name__)

PATTERN = "claim-*.keys"

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Errors of file systems without locks."""


@contextmanager
def claim(folder: Path, keys: Iterable[str]) -> Iterator[set[str]]:
    """Claim the keys that no other process holds, and yield them; leaving the context releases them.

    A claim is a file with its keys. Its process holds a lock on the file, which the kernel releases if the process is
    killed. ``claims.lock`` is locked while claims are read and made, so that two processes never claim the same key.
    If the file system has no locks, all keys are yielded and a warning is logged.

    Raises:
        StoreError: the claim cannot be written.
    """
    wanted = set(keys)
    path = folder / f"claim-{uuid.uuid4().hex}.keys"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "claims.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            held = [held_by_other(other) for other in folder.glob(PATTERN)]
            mine = wanted.difference(*((text or "").split() for text in held))
            file = path.open("x")
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write("\n".join(mine))
            file.flush()
    except OSError as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        if error.errno not in NO_LOCKS:
            raise StoreError(
                f"{folder}: cannot be written ({error.strerror}), so that no reply could be kept; no request was sent; "
                "check permissions and the disk"
            ) from error
        log.warning("%s: the file system has no locks; use it with a single workflow", folder)
        yield wanted
        return
    try:
        yield mine
    finally:
        path.unlink(missing_ok=True)
        file.close()


def held_by_other(path: Path) -> str | None:
    """Return the text of a file that another process holds; if that process has ended, remove the file."""
    try:
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read()
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        pass
    return None
