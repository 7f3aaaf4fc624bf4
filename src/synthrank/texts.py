"""Random access to the passages that a step needs, out of a collection that may not fit in memory."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from synthrank.errors import DataError
from synthrank.files import json_lines

T = TypeVar("T")


def texts_of(passages: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the text of each named passage; the file is read once, and only these texts are kept.

    Works for any JSON lines file whose objects have ``id`` and ``text``: a corpus or written passages.

    Raises:
        DataError: a passage is not in the file.
    """
    wanted = set(names)
    found = {item["id"]: item["text"] for _, item in json_lines(passages) if item["id"] in wanted}
    if missing := wanted - found.keys():
        raise DataError(f"{passages}: {len(missing)} passages are not in it, first {min(missing)!r}; was it replaced?")
    return found


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of ``size`` items, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
