"""Read the queries and passages of a training set or of a paradigm."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synthrank.data.files import json_lines, read_jsonl
from synthrank.data.records import Group, WrittenPassage
from synthrank.errors import DataError


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A query with one of its passages; ``positive`` is False for a negative."""

    query_id: str
    query: str
    passage_id: str
    passage: str
    positive: bool = True


def read_pairs(path: Path) -> Iterator[LabelledPair]:
    """Yield every query-passage pair of a file of training groups or of passages of a paradigm.

    Candidates with a label above 0 and all passages of a paradigm are positives.

    Raises:
        DataError: a line is invalid.
    """
    if any("candidates" in row for _, row in _take_first(path)):
        for group in read_jsonl(path, Group):
            for item in group.candidates:
                yield LabelledPair(group.query_id, group.query, item.id, item.text, item.label > 0)
    else:
        for written in read_jsonl(path, WrittenPassage):
            yield LabelledPair(written.query_id, written.query, written.id, written.text)


def read_positives(path: Path) -> list[LabelledPair]:
    """Return the distinct pairs of a query and the id and text of one of its positives, in the order of the file.

    Raises:
        DataError: the file has no positive.
    """
    pairs = {(pair.query_id, pair.passage_id, pair.passage): pair for pair in read_pairs(path) if pair.positive}
    if not pairs:
        raise DataError(f"{path}: the file has no positive passage; expected a training set or passages of a paradigm")
    return list(pairs.values())


def _take_first(path: Path) -> list[tuple[int, dict[str, object]]]:
    for line in json_lines(path):
        return [line]
    return []
