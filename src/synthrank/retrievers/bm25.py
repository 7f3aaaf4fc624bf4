"""BM25 by Anserini."""

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from synthrank.errors import DataError
from synthrank.records import Query
from synthrank.retrievers import anserini
from synthrank.specs.retrievers import Bm25
from synthrank.texts import chunks
from synthrank.trec import Run

PASSAGES_A_FILE = 65_536
"""A thread of Anserini's takes one file at a time."""


def build_index(passages: Iterable[tuple[str, str]], index: Path, threads: int) -> int:
    """Index (id, text) pairs into a new folder and return how many there were.

    Raises:
        DataError: Lucene holds another number of passages than it was given.
        ModelError: Java or Anserini is not to be had, or fails.
    """
    with tempfile.TemporaryDirectory(dir=index.parent) as folder:
        count = 0
        for number, some in enumerate(chunks(passages, PASSAGES_A_FILE)):
            lines = [json.dumps({"id": name, "contents": text}, ensure_ascii=False) + "\n" for name, text in some]
            (Path(folder) / f"{number:06}.jsonl").write_text("".join(lines), encoding="utf-8")
            count += len(lines)
        indexed = anserini.build_index("JsonCollection", Path(folder), index, threads)
    if indexed != count:
        raise DataError(f"{index}: {indexed} of {count} passages were indexed; passages without any word cannot be")
    return count


def search(index: Path, queries: Sequence[Query], spec: Bm25, threads: int) -> Run:
    """Return the ``depth`` best passages of each query, in the order of the queries.

    A query without a hit has no list. Scores are Anserini's, which rounds them to four decimals.

    Raises:
        ModelError: Java or Anserini is not to be had, or fails.
    """
    parameters = ("-bm25", "-bm25.k1", str(spec.k1), "-bm25.b", str(spec.b))
    return anserini.search(index, queries, spec.depth, threads, *parameters)
