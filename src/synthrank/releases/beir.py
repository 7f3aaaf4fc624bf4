"""The layout of BEIR (Thakur et al. 2021): corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, as files and as tables."""

import json
from collections.abc import Sequence
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import atomic_text
from synthrank.records import WrittenPassage
from synthrank.releases.parquet import Table

_HEAD = "query-id\tcorpus-id\tscore\n"


def beir_tables(written: Sequence[WrittenPassage], origin: Path) -> list[Table]:
    """Return the tables ``corpus``, ``queries`` and ``qrels`` of passages, each passage and query once.

    Args:
        written: the passages, each with its query and its grade.
        origin: their file, for the error.

    Raises:
        DataError: two passages of one id, or two queries, have different texts, or a pair has two grades.
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
                raise DataError(f"{origin}: {what} {name!r} has two texts; an id names one text in a data set")
        if grades.setdefault((item.query_id, item.id), item.grade) != item.grade:
            raise DataError(f"{origin}: passage {item.id!r} has two grades for query {item.query_id!r}; expected one")
    return [
        Table(
            "corpus",
            "corpus",
            {"_id": "text", "title": "text", "text": "text"},
            [{"_id": name, "title": "", "text": text} for name, text in corpus.items()],
        ),
        Table(
            "queries",
            "queries",
            {"_id": "text", "text": "text"},
            [{"_id": name, "text": text} for name, text in queries.items()],
        ),
        Table(
            "qrels",
            "train",
            {"query-id": "text", "corpus-id": "text", "score": "whole"},
            [{"query-id": query, "corpus-id": passage, "score": grade} for (query, passage), grade in grades.items()],
        ),
    ]


def write_beir(folder: Path, tables: Sequence[Table]) -> None:
    """Write the files of BEIR's layout; ids with a tab or a line end cannot occur, since qrels hold them too."""
    rows = {table.config: table.rows for table in tables}
    for name in ("corpus", "queries"):
        with atomic_text(folder / f"{name}.jsonl") as stream:
            stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows[name])
    with atomic_text(folder / "qrels/train.tsv") as stream:
        stream.write(_HEAD)
        stream.writelines("\t".join(map(str, row.values())) + "\n" for row in rows["qrels"])
