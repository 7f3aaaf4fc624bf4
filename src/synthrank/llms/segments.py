"""One file of the store: a header line, one reply per line, and an end line once its writer has closed it.

A line is the reply as JSON. Bytes 9 to 73 are its key, and the fields that a scan needs come next: it parses a tenth of
each line. The lines are the only record of what was paid; a reader derives everything from them.
"""

import errno
import json
import logging
import os
import re
import time
from collections.abc import Iterable, Iterator, Set
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from synthrank.errors import StoreError
from synthrank.records import Message, Reply

log = logging.getLogger(__name__)

FORMAT, VERSION = "synthrank-replies", 1
PATTERN = "replies-*.jsonl"

KEY = slice(9, 73)
"""The bytes of a line that hold its key."""

SETTLED_S = 600.0
"""Seconds after which bytes that are zero count as damage: a network file system may show them for a moment."""

GONE = {errno.ENOENT, errno.ESTALE}
"""Errors of reading a segment that was merged into another one, on this host or on another."""

_FIRST = ("key", "time", "model", "finish_reason", "tokens_in", "tokens_out", "price_usd")
_TEXT = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_HEAD = re.compile(
    rb'\{"key": "([0-9a-f]{64})", "time": %b, "model": %b, "finish_reason": %b, "tokens_in": \d+, "tokens_out": \d+, '
    rb'"price_usd": (-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?), ' % (_TEXT, _TEXT, _TEXT)
)
"""These fields as JSON; the key and the price are its groups."""

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def key_number(key: str) -> int:
    """Return a key as a number, which takes less memory than its text.

    Raises:
        StoreError: it is not the hash of a request.
    """
    # int() alone would accept blanks and underscores
    if len(key) == 64 and not key.strip("0123456789abcdef"):
        return int(key, 16)
    raise StoreError(f"a reply's key is {key!r}; expected the 64 hexadecimal digits that request_key returns")


def encode(reply: Reply) -> bytes:
    """Return a reply as a line of UTF-8 with its end.

    Raises:
        StoreError: its key is invalid, a count of tokens is not a whole number from 0 on, or a number is not finite.
    """
    key_number(reply.key)
    value = asdict(reply)
    value = {name: value[name] for name in _FIRST} | value
    try:
        try:
            line = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:  # half a surrogate pair, which a JSON answer may hold, is not UTF-8
            line = json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise StoreError(f"reply to query {reply.query_id}: cannot be stored ({error})") from error
    if not _HEAD.match(line):
        raise StoreError(f"reply to query {reply.query_id}: a count of tokens is not a whole number from 0 on")
    return line + b"\n"


def decode(line: bytes) -> Reply:
    """Return the reply of a line.

    Raises:
        ValueError, TypeError, KeyError, AttributeError, RecursionError: the line is not a reply.
    """
    value = json.loads(line)
    value["messages"] = tuple([Message(**message) for message in value["messages"]])
    reply = Reply(**value)
    if line[KEY] != reply.key.encode() or len(reply.key) != 64:
        raise ValueError("its key is not at bytes 9 to 73")
    return reply


class Segment:
    """The complete lines of a segment, which may be growing.

    Attributes:
        places: the offset of the first reply per key.
        further: the offsets of the other replies per key.
        usd: the price of all replies in US dollars.
        broken: how many lines are not replies.
        partial: whether there is a cut line at the end, 0 or 1.
        closed: whether its writer has closed it.
        replaces: the names of the segments whose replies were merged into this one.
        size: bytes of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._forget()

    def _forget(self) -> None:
        self._scanned = self.size = self.broken = self.partial = 0
        self.usd = 0.0
        self.closed = False
        self.replaces: frozenset[str] = frozenset()
        self.places: dict[int, int] = {}
        self.further: dict[int, list[int]] = {}

    def refresh(self) -> None:
        """Scan the lines that are new in the file.

        Raises:
            OSError: it was merged into another (``GONE``).
            StoreError: it was written by a newer version, or cannot be read.
        """
        try:
            size = os.stat(self.path).st_size
            if size < self._scanned:  # its writer has taken back lines that a full disk did not take
                self._forget()
            self.partial = 0
            if size != self._scanned:
                self._scan()
            self.size = size
        except OSError as error:
            if error.errno in GONE:
                raise
            raise StoreError(f"{self.path}: cannot be read ({error.strerror}); check rights and the disk") from error

    def offsets(self, numbers: Set[int] | None = None) -> list[int]:
        """Return where the replies to some keys are, or all replies, in order."""
        held = self.places.keys() if numbers is None else self.places.keys() & numbers
        further = chain.from_iterable(self.further[key] for key in self.further.keys() & held)
        return sorted([*(self.places[key] for key in held), *further])

    def read(self, offsets: Iterable[int]) -> Iterator[Reply]:
        """Yield the replies at some offsets; a line that is damaged behind what a scan parses is logged and left out.

        Raises:
            OSError: as :meth:`refresh`.
        """
        with self.path.open("rb") as stream:
            for offset in offsets:
                stream.seek(offset)
                try:
                    reply = decode(stream.readline())
                except _UNREADABLE as error:
                    self._warn(offset, str(error))
                else:
                    yield reply

    def _scan(self) -> None:
        with self.path.open("rb") as stream:
            stream.seek(self._scanned)
            for line in stream:
                if not line.endswith(b"\n"):
                    self.partial = 1
                    break
                if b"\0" in line and time.time() - os.fstat(stream.fileno()).st_mtime < SETTLED_S:
                    break
                self._take(line)
                self._scanned += len(line)

    def _take(self, line: bytes) -> None:
        if not self._scanned:
            self._take_header(line)
        elif head := _HEAD.match(line):
            number = int(head[1], 16)
            self.usd += float(head[2])
            if self.places.setdefault(number, self._scanned) != self._scanned:
                self.further.setdefault(number, []).append(self._scanned)
        elif line.startswith(b'{"end": '):
            self.closed = True
        else:
            self.broken += 1
            self._warn(self._scanned, "it is not a reply")

    def _take_header(self, line: bytes) -> None:
        """Read the first line; the replies behind a broken one are read nonetheless."""
        try:
            value = json.loads(line)
            if value["format"] != FORMAT:
                raise ValueError
            version = int(value["version"])
            self.replaces = frozenset(value.get("replaces", ()))
        except _UNREADABLE:
            self.broken += 1
            self._warn(0, "its first line is no header of a segment")
            return
        if version > VERSION:
            raise StoreError(
                f"{self.path}: written by a newer synthrank (format {version}, this one reads {VERSION}); "
                "upgrade synthrank"
            )

    def _warn(self, offset: int, why: str) -> None:
        log.warning("%s: the line at byte %d is not read: %s", self.path, offset, " ".join(why.split()))
