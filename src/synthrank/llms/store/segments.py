"""A segment, one file of the store: a header line, one reply per line, and an end line when the writer closed it.

A line is a reply as JSON. Bytes 9 to 73 are the key, followed by the fields that a scan needs, so that a scan parses
only about a tenth of each line. The lines are the only record of paid replies.
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

from synthrank.data.records import Message, Reply
from synthrank.errors import StoreError
from synthrank.llms.bodies import read_content

log = logging.getLogger(__name__)

FORMAT, VERSION = "synthrank-replies", 1
PATTERN = "replies-*.jsonl"

KEY = slice(9, 73)
"""The bytes of a line with its key."""

SETTLED_S = 600.0
"""Seconds after which zero bytes count as damage; a network file system may show them for a moment."""

GONE = {errno.ENOENT, errno.ESTALE}
"""Errors on reading a segment that was merged into another one, by this host or by another."""

_FIRST = ("key", "time", "model", "finish_reason", "tokens_in", "tokens_out", "price_usd")
_TEXT = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_HEAD = re.compile(
    rb'\{"key": "([0-9a-f]{64})", "time": %b, "model": %b, "finish_reason": %b, "tokens_in": \d+, "tokens_out": \d+, '
    rb'"price_usd": (-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?), ' % (_TEXT, _TEXT, _TEXT)
)
"""The first fields as JSON, with the key and the price as groups."""

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def key_number(key: str) -> int:
    """Return a key as an integer, which needs less memory than a text.

    Raises:
        StoreError: the key is not the hash of a request.
    """
    # int() would also accept blanks and underscores.
    if len(key) == 64 and not key.strip("0123456789abcdef"):
        return int(key, 16)
    raise StoreError(f"invalid key {key!r} of a reply; expected the 64 hexadecimal digits that request_key returns")


def encode(reply: Reply) -> bytes:
    """Return a reply as a line in UTF-8, including the line end.

    Raises:
        StoreError: the key is invalid, a token count is not a non-negative integer, or a number is not finite.
    """
    key_number(reply.key)
    value = asdict(reply)
    value = {name: value[name] for name in _FIRST} | value
    try:
        try:
            line = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:  # a lone surrogate, which JSON allows, is not valid in UTF-8
            line = json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise StoreError(f"reply to query {reply.query_id}: cannot be stored ({error})") from error
    if not _HEAD.match(line):
        raise StoreError(f"reply to query {reply.query_id}: a token count is not a non-negative integer")
    return line + b"\n"


def decode(line: bytes) -> Reply:
    """Return the reply of a line.

    Raises:
        ValueError, TypeError, KeyError, AttributeError, RecursionError: the line is not a reply.
    """
    value = json.loads(line)
    # Earlier versions stored some texts as lists of parts or with halves of characters.
    value["text"] = read_content(value["text"]).text
    value["messages"] = tuple([Message(**message) for message in value["messages"]])
    reply = Reply(**value)
    if line[KEY] != reply.key.encode() or len(reply.key) != 64:
        raise ValueError("its key is not at bytes 9 to 73")
    return reply


class Segment:
    """The complete lines of a segment. Its writer may still append lines.

    Attributes:
        places: the offset of the first reply per key.
        repeated: the offsets of the other replies per key.
        usd: the price of all replies in US dollars.
        broken: the number of lines that are not replies.
        partial: 1 if the last line is incomplete, otherwise 0.
        closed: whether the writer has closed it.
        replaces: the names of the segments that were merged into this one.
        size: the size of the file in bytes.
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
        self.repeated: dict[int, list[int]] = {}

    def refresh(self) -> None:
        """Scan the new lines of the file.

        Raises:
            OSError: the segment was merged into another one (``GONE``).
            StoreError: the segment was written by a newer version, or cannot be read.
        """
        try:
            size = os.stat(self.path).st_size
            if size < self._scanned:  # the writer has truncated lines that did not fit on the disk
                self._forget()
            self.partial = 0
            if size != self._scanned:
                self._scan()
            self.size = size
        except OSError as error:
            if error.errno in GONE:
                raise
            raise StoreError(f"{self.path}: cannot be read ({error.strerror}); check permissions and disk") from error

    def offsets(self, numbers: Set[int] | None = None) -> list[int]:
        """Return the offsets of the replies with some keys, or of all replies, in order."""
        held = self.places.keys() if numbers is None else self.places.keys() & numbers
        repeated = chain.from_iterable(self.repeated[key] for key in self.repeated.keys() & held)
        return sorted([*(self.places[key] for key in held), *repeated])

    def read(self, offsets: Iterable[int]) -> Iterator[Reply]:
        """Yield the replies at some offsets; a line with damage after the scanned fields is logged and left out.

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
                self.repeated.setdefault(number, []).append(self._scanned)
        elif line.startswith(b'{"end": '):
            self.closed = True
        else:
            self.broken += 1
            self._warn(self._scanned, "it is not a reply")

    def _take_header(self, line: bytes) -> None:
        """Read the first line. Replies after an invalid header are still read."""
        try:
            value = json.loads(line)
            if value["format"] != FORMAT:
                raise ValueError
            version = int(value["version"])
            self.replaces = frozenset(value.get("replaces", ()))
        except _UNREADABLE:
            self.broken += 1
            self._warn(0, "the header is invalid")
            return
        if version > VERSION:
            raise StoreError(
                f"{self.path}: written by a newer synthrank (format {version}, this one reads {VERSION}); "
                "upgrade synthrank"
            )

    def _warn(self, offset: int, why: str) -> None:
        log.warning("%s: ignored the line at byte %d: %s", self.path, offset, " ".join(why.split()))
