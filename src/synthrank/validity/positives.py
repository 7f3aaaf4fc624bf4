"""The queries and passages of what is trained on, out of a training set or out of written passages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import json_lines, read_jsonl
from synthrank.records import Group, WrittenPassage


@dataclass(frozen=True, slots=True)
class Pair:
    """A query with one of its passages; ``positive`` tells a positive from a negative."""

    query_id: str
    query: str
    passage_id: str
    passage: str
    positive: bool = True


def read_pairs(path: Path) -> Iterator[Pair]:
    """Yield every query-passage pair of a file of training groups or of written passages.

    A candidate with a label above 0 is a positive; every written passage is one.

    Raises:
        DataError: a line is neither.
    """
    if any("candidates" in row for _, row in _first(path)):
        for group in read_jsonl(path, Group):
            for item in group.candidates:
                yield Pair(group.query_id, group.query, item.id, item.text, item.label > 0)
    else:
        for written in read_jsonl(path, WrittenPassage):
            yield Pair(written.query_id, written.query, written.id, written.text)


def read_positives(path: Path) -> list[Pair]:
    """Return the distinct pairs of a query and a positive of its own, in the order of the file.

    Raises:
        DataError: there is none.
    """
    pairs = {(pair.query_id, pair.passage_id): pair for pair in read_pairs(path) if pair.positive}
    if not pairs:
        raise DataError(f"{path}: no positive passage is in it; expected a training set or written passages")
    return list(pairs.values())


def _first(path: Path) -> list[tuple[int, dict[str, object]]]:
    for line in json_lines(path):
        return [line]
    return []
