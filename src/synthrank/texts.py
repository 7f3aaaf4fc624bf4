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
    found = known_texts(passages, wanted)
    if missing := wanted - found.keys():
        raise DataError(f"{passages}: {len(missing)} passages are not in it, first {min(missing)!r}; was it replaced?")
    return found


def known_texts(passages: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the text of each named passage that is in the file, as :func:`texts_of` reads it."""
    wanted = set(names)
    return {item["id"]: item["text"] for _, item in json_lines(passages) if item["id"] in wanted}


def absent(passages: Path, names: Iterable[str]) -> set[str]:
    """Return those names that no passage of the file has."""
    missing = set(names)
    for _, item in json_lines(passages):
        missing.discard(item["id"])
    return missing


def text_key(text: str) -> str:
    """Return a text without what does not make it another one: case, and how much white space is where."""
    return " ".join(text.casefold().split())


def id_texts(passages: Path) -> Iterator[tuple[str, str]]:
    """Yield (id, text) of each passage of a file."""
    return ((item["id"], item["text"]) for _, item in json_lines(passages))


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of ``size`` items, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
