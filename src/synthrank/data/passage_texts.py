"""Read the texts of selected passages from a corpus that may not fit in memory."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from synthrank.data.files import json_lines
from synthrank.errors import DataError

T = TypeVar("T")


def texts_of(passages: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the text of each named passage. The file is read once, and other texts are not kept in memory.

    The file contains JSON lines with ``id`` and ``text``, such as the passages of a corpus or generated passages.

    Raises:
        DataError: a passage is not in the file.
    """
    wanted = set(names)
    found = find_texts(passages, wanted)
    if missing := wanted - found.keys():
        raise DataError(f"{passages}: {len(missing)} passages are not in it, first {min(missing)!r}; was it replaced?")
    return found


def find_texts(passages: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the text of each named passage that the file contains. Missing passages are skipped."""
    wanted = set(names)
    return {item["id"]: item["text"] for _, item in json_lines(passages) if item["id"] in wanted}


def find_absent(passages: Path, names: Iterable[str]) -> set[str]:
    """Return the names that are not the id of a passage of the file."""
    missing = set(names)
    for _, item in json_lines(passages):
        missing.discard(item["id"])
    return missing


def text_key(text: str) -> str:
    """Return a text in folded case, with runs of white space as one space. Equal keys mean equal texts."""
    return " ".join(text.casefold().split())


def id_texts(passages: Path) -> Iterator[tuple[str, str]]:
    """Yield (id, text) of each passage of a file."""
    return ((item["id"], item["text"]) for _, item in json_lines(passages))


def split_into_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of ``size`` items. The last list may be shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
