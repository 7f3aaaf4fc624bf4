"""The line of a stored reply, and the 42 bytes that an index keeps of it.

A line is the reply as JSON with its key first, so that the key is bytes 9 to 73 of every line: ``{"key": "<64>", …``.
"""

import json
import struct
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from synthrank.errors import StoreError
from synthrank.records import Message, Reply

KEY = slice(9, 73)
"""Where the key stands in a line, in bytes."""

ROW = np.dtype(
    [
        ("prefix", "<u8"),  # first 64 bits of the key; the line has all 256
        ("offset", "<u8"),
        ("price", "<f8"),
        ("length", "<u4"),  # of the line, its end included
        ("time", "<u4"),  # seconds since 1970
        ("tokens_in", "<u4"),
        ("tokens_out", "<u4"),
        ("model", "<u2"),  # place in a list of models
    ]
)
_PACK = struct.Struct("<QQdIIIIH").pack

Rows = npt.NDArray[np.void]
"""Rows of the type ``ROW``, shape (replies,)."""

UNKNOWN_TIME = 2**32 - 1
_FIRST = ("key", "time", "model", "finish_reason", "tokens_in", "tokens_out", "price_usd")


def encode(reply: Reply) -> bytes:
    """Return a reply as a line of UTF-8 with its end.

    Raises:
        StoreError: its key is none, or a number is not finite.
    """
    prefix_of(reply.key)
    value = asdict(reply)
    value = {name: value[name] for name in _FIRST} | value
    try:
        try:
            return json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        except UnicodeEncodeError:  # half a surrogate pair, which a JSON answer may hold, is no UTF-8
            return json.dumps(value, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise StoreError(f"reply to query {reply.query_id}: cannot be stored as JSON ({error})") from error


def decode(line: bytes) -> Reply:
    """Return the reply of a line.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is none.
    """
    value = json.loads(line)
    value["messages"] = tuple([Message(**message) for message in value["messages"]])
    reply = Reply(**value)
    if line[KEY] != reply.key.encode() or len(reply.key) != 64:
        raise ValueError("the key does not stand where it should")
    return reply


def prefix_of(key: str) -> int:
    """Return the first 64 bits of a key.

    Raises:
        StoreError: it is not the hash of a request.
    """
    # bytes.fromhex would pass over blanks, int() over underscores
    if len(key) == 64 and not key.strip("0123456789abcdef"):
        return int(key[:16], 16)
    raise StoreError(f"a reply's key is {key!r}; expected the 64 hexadecimal digits that request_key returns")


def pack(reply: Reply, offset: int, length: int, models: dict[str, int]) -> bytes:
    """Return a reply's row; a model that ``models`` lacks is added there.

    Raises:
        StoreError: a number of tokens is none.
    """
    try:
        return _PACK(
            prefix_of(reply.key),
            offset,
            float(reply.price_usd),
            length,
            _seconds(reply.time),
            reply.tokens_in,
            reply.tokens_out,
            models.setdefault(reply.model, len(models)),
        )
    except struct.error as error:
        raise StoreError(f"reply to query {reply.query_id}: a count of tokens is none ({error})") from error


@lru_cache(maxsize=4096)
def _seconds(time: str) -> int:
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return UNKNOWN_TIME
    seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return seconds if 0 <= seconds < UNKNOWN_TIME else UNKNOWN_TIME


def empty() -> Rows:
    """Return no rows."""
    return np.empty(0, ROW)
