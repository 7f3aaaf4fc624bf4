"""Corpora in the BEIR layout: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/NAME.tsv``.

A split may be a part of the queries of a qrels file. The queries are in the seeded order (``synthrank.data.sampling``)
of their ids. ``start`` and ``end`` of a part are fractions of their number, both rounded in the same way. Therefore
parts with a common boundary do not overlap and leave no query out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synthrank.config.corpora import BeirCorpus, SplitPart
from synthrank.data.files import check_sha256, json_lines, text_lines
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sampling import shuffle
from synthrank.data.trec import grade_of, is_whole, read_judgments
from synthrank.errors import ConfigError, DataError, list_known
from synthrank.runtime.environment import DATA, data_folder

_KEYS = {"_id", "text", "title", "metadata"}
"""The keys of the layout. ``metadata`` is not read."""


class BeirSource:
    """A corpus in the BEIR layout. Passages are streamed."""

    def __init__(self, spec: BeirCorpus, origin: Path) -> None:
        self._spec = spec
        self._origin = origin
        self._folder = data_folder() / spec.folder
        if not self._folder.is_dir():
            download = f"download it from {spec.url} into this folder" if spec.url else "put its files there"
            raise DataError(
                f"{self._folder.absolute()}: no such folder; {origin} needs the corpus {spec.folder}: {download}, or "
                f"set {DATA} to the folder that contains {spec.folder}"
            )
        self._files = {name: split if isinstance(split, str) else split.file for name, split in spec.splits.items()}
        unknown = spec.sha256.keys() - {"corpus.jsonl", "queries.jsonl", *self._files.values()}
        if unknown:
            raise ConfigError(f"{origin}: sha256.{min(unknown)}: the corpus uses no such file")

    def passages(self) -> Iterator[Passage]:
        """Yield the rows of ``corpus.jsonl``.

        Raises:
            ChecksumError: the file differs from its pinned SHA-256.
            DataError: a row has no textual ``_id`` or ``text``.
        """
        path = self._file("corpus.jsonl")
        for number, row in json_lines(path, _KEYS):
            place = f"{path}:{number}"
            yield Passage(_text(row, "_id", place), _text(row, "text", place), _text(row, "title", place, default=""))

    def queries(self, split: str) -> tuple[list[Query], list[Judgment]]:
        """Return all rows of ``queries.jsonl`` and the judgments of a split.

        Raises:
            ConfigError: the corpus has no such split, or the split is a part without queries.
            ChecksumError: a file differs from its pinned SHA-256.
            DataError: a row or line differs from the layout.
        """
        if split not in self._spec.splits:
            raise ConfigError(f"{self._origin}: splits: no split {split!r}; {list_known(self._spec.splits)}")
        path = self._file("queries.jsonl")
        queries = [
            Query(_text(row, "_id", f"{path}:{number}"), _text(row, "text", f"{path}:{number}"))
            for number, row in json_lines(path, _KEYS)
        ]
        judgments = self._judgments(self._files[split])
        part = self._spec.splits[split]
        return queries, judgments if isinstance(part, str) else self._cut(judgments, part, split)

    def report(self) -> dict[str, Any]:
        """Return an empty report, because nothing is omitted."""
        return {}

    def _judgments(self, name: str) -> list[Judgment]:
        path = self._file(name)
        return list(read_judgments(path) if path.suffix == ".txt" else _table(path))

    def _cut(self, judgments: list[Judgment], part: SplitPart, split: str) -> list[Judgment]:
        """Return the qrels of the queries in a part."""
        order = shuffle({item.query_id for item in judgments}, part.seed)
        chosen = set(order[round(part.start * len(order)) : round(part.end * len(order))])
        if not chosen:
            raise ConfigError(
                f"{self._origin}: splits.{split}: the part from {part.start:g} to {part.end:g} contains none of "
                f"the {len(order)} queries of {part.file}; state a larger part"
            )
        return [item for item in judgments if item.query_id in chosen]

    def _file(self, name: str) -> Path:
        path = self._folder / name
        if not path.is_file():
            raise DataError(f"{path}: no such file; the BEIR layout has corpus.jsonl, queries.jsonl and qrels/NAME.tsv")
        if name in self._spec.sha256:
            check_sha256(path, self._spec.sha256[name], str(self._origin))
        return path


def _text(row: dict[str, Any], key: str, place: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str):
        raise DataError(f"{place}: {key} is {value!r}; expected a text" if key in row else f"{place}: has no {key}")
    return value


def _table(path: Path) -> Iterator[Judgment]:
    """Yield the judgments of a BEIR file, which has tabs and a header line."""
    for number, line in text_lines(path):
        columns = line.split("\t")
        if len(columns) != 3:
            raise DataError(
                f"{path}:{number}: {len(columns)} columns; expected three separated by tabs: query-id corpus-id score"
            )
        query_id, passage_id, grade = columns
        if number > 1:
            yield Judgment(query_id, passage_id, grade_of(grade, f"{path}:{number}: score"))
        elif is_whole(grade):
            raise DataError(f"{path}:1: a judgment; expected the header line query-id corpus-id score")
