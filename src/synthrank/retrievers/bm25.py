"""BM25 by Anserini."""

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from synthrank.config.retrievers import Bm25
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import Query
from synthrank.data.trec import Run
from synthrank.errors import DataError
from synthrank.retrievers import anserini

PASSAGES_PER_FILE = 65_536
"""Each thread of Anserini indexes one file at a time."""


def build_index(passages: Iterable[tuple[str, str]], index: Path, threads: int) -> int:
    """Index (id, text) pairs in a new folder and return their number.

    Raises:
        DataError: some passages were not indexed.
        ModelError: Java or Anserini is missing or fails.
    """
    with tempfile.TemporaryDirectory(dir=index.parent) as folder:
        count = 0
        for number, some in enumerate(split_into_batches(passages, PASSAGES_PER_FILE)):
            lines = [json.dumps({"id": name, "contents": text}, ensure_ascii=False) + "\n" for name, text in some]
            (Path(folder) / f"{number:06}.jsonl").write_text("".join(lines), encoding="utf-8")
            count += len(lines)
        indexed = anserini.build_index("JsonCollection", Path(folder), index, threads)
    if indexed != count:
        raise DataError(
            f"{index}: {indexed} of {count} passages were indexed; expected passages with at least one word"
        )
    return count


def search(index: Path, queries: Sequence[Query], spec: Bm25, threads: int) -> Run:
    """Return the ``depth`` best passages per query, in the order of the queries.

    A query without results is not in the run. Anserini rounds scores to four decimals.

    Raises:
        ModelError: Java or Anserini is missing or fails.
    """
    parameters = ("-bm25", "-bm25.k1", str(spec.k1), "-bm25.b", str(spec.b))
    return anserini.search(index, queries, spec.depth, threads, *parameters)
