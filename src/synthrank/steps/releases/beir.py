"""BEIR layout (Thakur et al. 2021): corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, as files and as tables."""

import json
from collections.abc import Sequence
from pathlib import Path

from synthrank.data.files import atomic_text
from synthrank.data.records import WrittenPassage
from synthrank.errors import DataError
from synthrank.steps.releases.tables import DatasetTable


def beir_tables(written: Sequence[WrittenPassage], origin: Path) -> list[DatasetTable]:
    """Return the tables ``corpus``, ``queries`` and ``qrels``, with each passage and query once.

    Args:
        written: the passages, each with its query and its grade.
        origin: the file of the passages, for error messages.

    Raises:
        DataError: two passages or two queries with the same id have different texts, or a pair has two grades.
    """
    corpus: dict[str, str] = {}
    queries: dict[str, str] = {}
    grades: dict[tuple[str, str], int] = {}
    for item in written:
        for what, known, name, text in (
            ("passage", corpus, item.id, item.text),
            ("query", queries, item.query_id, item.query),
        ):
            if known.setdefault(name, text) != text:
                raise DataError(f"{origin}: {what} {name!r} has two texts; expected one text per id")
        if grades.setdefault((item.query_id, item.id), item.grade) != item.grade:
            raise DataError(f"{origin}: passage {item.id!r} has two grades for query {item.query_id!r}; expected one")
    columns = {"_id": str, "title": str, "text": str}
    return [
        DatasetTable("corpus", "corpus", columns, [(name, "", text) for name, text in corpus.items()]),
        DatasetTable("queries", "queries", {"_id": str, "text": str}, list(queries.items())),
        DatasetTable("qrels", "train", {"query-id": str, "corpus-id": str, "score": int},
              [(*pair, grade) for pair, grade in grades.items()]),
    ]  # fmt: skip


def write_beir(folder: Path, tables: Sequence[DatasetTable]) -> None:
    """Write the files of the BEIR layout; ids contain no tab or line end, because qrels contain them too."""
    of = {table.config: table for table in tables}
    for name in ("corpus", "queries"):
        with atomic_text(folder / f"{name}.jsonl") as stream:
            stream.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in of[name].records())
    with atomic_text(folder / "qrels/train.tsv") as stream:
        stream.writelines("\t".join(map(str, row)) + "\n" for row in (tuple(of["qrels"].columns), *of["qrels"].rows))
