"""The layout of BEIR (Thakur et al. 2021): corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv, as files and as tables."""

import json
from collections.abc import Sequence
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import atomic_text
from synthrank.records import WrittenPassage
from synthrank.releases.tables import Table


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
    columns = {"_id": str, "title": str, "text": str}
    return [
        Table("corpus", "corpus", columns, [(name, "", text) for name, text in corpus.items()]),
        Table("queries", "queries", {"_id": str, "text": str}, list(queries.items())),
        Table("qrels", "train", {"query-id": str, "corpus-id": str, "score": int},
              [(*pair, grade) for pair, grade in grades.items()]),
    ]  # fmt: skip


def write_beir(folder: Path, tables: Sequence[Table]) -> None:
    """Write the files of BEIR's layout; ids with a tab or a line end cannot occur, since qrels hold them too."""
    of = {table.config: table for table in tables}
    for name in ("corpus", "queries"):
        with atomic_text(folder / f"{name}.jsonl") as stream:
            stream.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in of[name].records())
    with atomic_text(folder / "qrels/train.tsv") as stream:
        stream.writelines("\t".join(map(str, row)) + "\n" for row in (tuple(of["qrels"].columns), *of["qrels"].rows))
