"""Passages that must stay out of training sets because they answer a query of a held-out split."""

from collections.abc import Iterator
from pathlib import Path

from synthrank.data.files import read_jsonl, text_lines
from synthrank.data.records import Passage


def read_excluded(path: Path) -> set[str]:
    """Return the ids in the file of ``exclude_passages``.

    No positive, negative, candidate, exemplar or source of a query may be one of these passages.

    Raises:
        DataError: the file is absent.
    """
    return {name for _, name in text_lines(path)}


def read_allowed(passages: Path, excluded: Path) -> Iterator[Passage]:
    """Yield the passages that have a text and answer no query of a held-out split.

    A query generated from an answer would train on the topic of a test query.

    Args:
        passages: the passages of a corpus, read once and line by line.
        excluded: the passages that must stay out of training.
    """
    excluded_ids = read_excluded(excluded)
    return (item for item in read_jsonl(passages, Passage) if item.id not in excluded_ids and item.text.strip())
