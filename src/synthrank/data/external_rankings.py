"""Read external rankings in their published formats.

The formats ids and records are JSON lines, or rows of a parquet file, which is recognized by its first bytes. Lines and
rows are streamed. The place in the list is the rank. Keys ``rank`` and ``score`` are ignored, because rerankers do not
update them, and so are all other keys. Unknown keys of lines are logged.

========== =============================================================================================================
trec       a six-column run, in the order of :func:`synthrank.data.trec.read_run`
ids        a query id and a list of passage ids, under keys that the recipe states; ``query`` if present
records    TWOLAR's distillation set: ``query``, ``positive_passages`` (not read), ``retrieved_passages`` with ``docid``
           and ``text`` (github.com/Dundalia/TWOLAR, utils.RerankData); ``query_id`` if present. An entry with the
           text ``<padding_passage>`` fills a short ranking and has the id ``<padding_passage>@PLACE``. RankGPT's
           marco-train files have the same keys, but the first stage's order; their permutations are in another file
========== =============================================================================================================
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from synthrank.data.files import json_lines
from synthrank.data.records import Order
from synthrank.data.trec import compare_ranks, read_run
from synthrank.data.words import is_id
from synthrank.errors import ConfigError, DataError, list_known

PADDING = "<padding_passage>"
"""The text that fills a short ranking (github.com/Dundalia/TWOLAR, utils.RerankData.__getitem__)."""

_RECORD_KEYS = {"query", "query_id", "positive_passages", "retrieved_passages"}

ROWS = 256
"""Rows of a parquet file in memory, about 3 MB with 30 passages per row."""


def read_orders(path: Path, format: str, query_key: str = "qid", order_key: str = "final") -> Iterator[Order]:
    """Yield the rankings of a file in its order. A query may occur more than once.

    Args:
        path: the file.
        format: trec, ids or records.
        query_key: the key of the query id in the format ids.
        order_key: the key of the list of passage ids in the format ids.

    Raises:
        ConfigError: the format is unknown.
        DataError: the file is missing or empty or has another format, or a query lacks a key or passages, or has a
            passage twice.
    """
    readers: dict[str, Callable[[_Object], Order]] = {
        "ids": partial(_ids, query_key=query_key, order_key=order_key),
        "records": _record,
    }
    if format != "trec" and format not in readers:
        raise ConfigError(f"{path}: format: unknown format {format!r} ({list_known(['trec', *readers])})")
    known = {"ids": {query_key, order_key, "query"}, "records": _RECORD_KEYS}
    found = False
    for order in _run(path) if format == "trec" else _orders(path, readers[format], known[format]):
        found = True
        yield order
    if not found:
        raise DataError(f"{path}: no query found; expected a file in the format {format}")


def query_id_of(text: str) -> str:
    """Return an id for a query without id: 16 hexadecimal digits of a hash of its words."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def _run(path: Path) -> Iterator[Order]:
    run = read_run(path)
    compare_ranks(path, run)
    for query_id, ranked in run.items():
        yield Order(query_id, "", tuple(name for name, _ in ranked))


def _orders(path: Path, read: "Callable[[_Object], Order]", known: Set[str]) -> Iterator[Order]:
    for item in _objects(path, known):
        order = read(item)
        twice = [name for name, count in Counter(order.ids).items() if count > 1]
        if twice:
            raise DataError(
                f"{item.place}: query {order.query_id}: passage {twice[0]} occurs twice; expected distinct passages"
            )
        yield order


@dataclass(frozen=True, slots=True)
class _Object:
    """A JSON object with its place in the file, for messages."""

    value: dict[str, Any]
    place: str

    def get(self, key: str) -> Any:
        """Return the value of a required key."""
        if key not in self.value:
            raise DataError(f"{self.place}: has no {key}, keys are {', '.join(self.value)[:200] or 'none'}")
        return self.value[key]

    def has(self, key: str) -> bool:
        """Return whether a key is present and not null."""
        return self.value.get(key) is not None

    def text(self, key: str) -> str:
        """Return a text."""
        value = self.get(key)
        if not isinstance(value, str):
            raise DataError(f"{self.place}: {key} is {value!r:.60}; expected a text")
        return value

    def name(self, key: str) -> str:
        """Return an id as text. The files contain texts or numbers as ids."""
        return _name(self.get(key), f"{self.place}: {key}")

    def items(self, key: str) -> list[Any]:
        """Return a list that is not empty."""
        value = self.get(key)
        if not isinstance(value, list) or not value:
            what = "is empty" if value == [] else f"is a JSON {type(value).__name__}"
            raise DataError(f"{self.place}: {key} {what}; expected a list of passages, best first")
        return value

    def objects(self, key: str) -> "list[_Object]":
        """Return a list of objects that is not empty."""
        return [_object(item, f"{self.place}: {key}[{place}]") for place, item in enumerate(self.items(key))]


def _object(value: Any, place: str) -> _Object:
    if not isinstance(value, dict):
        raise DataError(f"{place}: a JSON {type(value).__name__}; expected an object")
    return _Object(value, place)


def _name(value: Any, where: str) -> str:
    name = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not is_id(name):
        raise DataError(
            f"{where} is {value!r:.60}; expected an id, a text without white space and control characters or a whole "
            "number"
        )
    return name


def _objects(path: Path, known: Set[str]) -> Iterator[_Object]:
    """Yield the rows of a parquet file, or the objects of JSON lines, whose unknown keys are logged."""
    if _is_parquet(path):
        yield from _parquet_rows(path)
    else:
        yield from (_Object(value, f"{path}:{number}") for number, value in json_lines(path, known))


def _is_parquet(path: Path) -> bool:
    if not path.is_file():  # text_lines reports a missing file
        return False
    with path.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _parquet_rows(path: Path) -> Iterator[_Object]:
    """Yield the rows of a parquet file, with at most :data:`ROWS` in memory for row groups of any size."""
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield _Object(row, f"{path}: row {number}")
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{path}: after row {number}: not parquet ({reason}); the file may be incomplete, download it again"
        ) from error


def _ids(item: _Object, query_key: str, order_key: str) -> Order:
    names = [_name(name, f"{item.place}: {order_key}[{place}]") for place, name in enumerate(item.items(order_key))]
    return Order(item.name(query_key), item.text("query") if item.has("query") else "", tuple(names))


def _record(item: _Object) -> Order:
    query, passages = item.text("query"), item.objects("retrieved_passages")
    query_id = item.name("query_id") if item.has("query_id") else query_id_of(query)
    texts = tuple(passage.text("text") for passage in passages)
    names = tuple(
        f"{PADDING}@{place}" if text == PADDING else passage.name("docid")
        for place, (passage, text) in enumerate(zip(passages, texts, strict=True))
    )
    return Order(query_id, query, names, texts)
