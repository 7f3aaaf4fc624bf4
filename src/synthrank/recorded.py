"""Orders that others recorded, in the files that they publish.

Two of the three formats are objects: JSON, one object a line, or the rows of a parquet file, told by its first bytes.
Lines and rows are streamed. Everywhere the place in the list is the rank: ``rank`` and ``score`` beside a passage are
not read, because rerankers leave them stale. Every other key is ignored.

========== =============================================================================================================
trec       a six-column run, in the order of :func:`synthrank.trec.read_run`
ids        a query id and a list of passage ids, under keys that the recipe names; ``query`` where it is there
records    TWOLAR's distillation set: ``query``, ``positive_passages`` (not read), ``retrieved_passages`` with ``docid``
           and ``text`` (github.com/Dundalia/TWOLAR, utils.RerankData); ``query_id`` where it is there. An entry whose
           text is ``<padding_passage>`` fills a short list: its id is ``<padding_passage>@PLACE``. RankGPT's
           marco-train files have the same keys but the first stage's order: their permutations lie in another file
========== =============================================================================================================
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from synthrank.errors import ConfigError, DataError, known
from synthrank.files import json_lines
from synthrank.records import Order
from synthrank.trec import read_run

PADDING = "<padding_passage>"
"""The text of a passage that fills a short list (github.com/Dundalia/TWOLAR, utils.RerankData.__getitem__)."""

ROWS = 256
"""Rows of a parquet file that are held at a time: 30 passages each, about 3 MB."""


def read_orders(path: Path, format: str, query_key: str = "qid", order_key: str = "final") -> Iterator[Order]:
    """Yield the orders of a file, in its order; a query may come more than once.

    Args:
        path: the file.
        format: trec, ids or records.
        query_key: where the format is ids, the key of the query id.
        order_key: where the format is ids, the key of the list of passage ids, best first.

    Raises:
        ConfigError: there is no such format.
        DataError: the file is absent or of another format, has no query, or a query has no passage, one passage twice,
            or lacks a key.
    """
    readers: dict[str, Callable[[_Object], Order]] = {
        "ids": partial(_ids, query_key=query_key, order_key=order_key),
        "records": _record,
    }
    if format != "trec" and format not in readers:
        raise ConfigError(f"{path}: format: got {format!r}; {known(['trec', *readers])}")
    found = False
    for order in _run(path) if format == "trec" else _orders(path, readers[format]):
        found = True
        yield order
    if not found:
        raise DataError(f"{path}: no query in it; expected a file of the format {format}")


def query_id_of(text: str) -> str:
    """Return the id of a query that comes without one: 16 hexadecimal digits of a hash of its words."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def _run(path: Path) -> Iterator[Order]:
    for query_id, ranked in read_run(path).items():
        yield Order(query_id, "", tuple(name for name, _ in ranked))


def _orders(path: Path, read: "Callable[[_Object], Order]") -> Iterator[Order]:
    for item in _objects(path):
        order = read(item)
        twice = [name for name, count in Counter(order.ids).items() if count > 1]
        if twice:
            raise DataError(
                f"{item.place}: query {order.query_id}: passage {twice[0]} is listed twice; expected each once"
            )
        yield order


@dataclass(frozen=True, slots=True)
class _Object:
    """A JSON object and where it stands, so that whatever it lacks is told with its place."""

    value: dict[str, Any]
    place: str

    def get(self, key: str) -> Any:
        """Return the value of a key that must be there."""
        if key not in self.value:
            raise DataError(f"{self.place}: has no {key}, keys are {', '.join(self.value) or 'none'}")
        return self.value[key]

    def has(self, key: str) -> bool:
        """Tell whether a key is there and not null."""
        return self.value.get(key) is not None

    def text(self, key: str) -> str:
        """Return a text."""
        value = self.get(key)
        if not isinstance(value, str):
            raise DataError(f"{self.place}: {key} is {value!r:.60}; expected a text")
        return value

    def name(self, key: str) -> str:
        """Return an id as text; numbers are taken, because these files write ids as either."""
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
    if name.split() != [name]:
        raise DataError(f"{where} is {value!r:.60}; expected an id, a text without white space or a whole number")
    return name


def _objects(path: Path) -> Iterator[_Object]:
    """Yield the rows of a parquet file, or the objects of JSON lines."""
    if _is_parquet(path):
        yield from _parquet_rows(path)
    else:
        yield from (_Object(value, f"{path}:{number}") for number, value in json_lines(path))


def _is_parquet(path: Path) -> bool:
    if not path.is_file():  # what is absent is told by whoever reads it as text
        return False
    with path.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def _parquet_rows(path: Path) -> Iterator[_Object]:
    """Yield the rows of a parquet file, a few hundred held at a time whatever the size of its row groups."""
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
        said = str(error).splitlines()[0]
        raise DataError(
            f"{path}: after row {number}: not parquet ({said}); expected a whole file, get it again"
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
