"""Store the vectors of a corpus in one folder per shard; they are written in a stream and read in blocks.

A folder contains ``vectors.npy`` of shape (rows, dimensions), ``ids.jsonl`` with the id of each row as a JSON string
per line, and ``encodings.json`` with the format's version, rows, dimensions and number type. A dimension takes 4 bytes
as float32 and 2 as float16. For 8.8 million passages with 768 dimensions these are 27 and 13.5 GB.

The last digit of a vector depends on the batch of its text. :data:`TOGETHER` rows that are encoded together are
therefore in the same shard, and vectors do not depend on the number of shards.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from synthrank.data.files import read_format, write_format
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.shards import Shard, check_shards
from synthrank.errors import DataError, ModelError
from synthrank.runtime.progress import Progress

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions)."""

StoredType = Literal["float32", "float16"]

VectorPart = tuple[Iterable[str], npt.NDArray[Any]]
"""Ids and their vectors of shape (ids, dimensions)."""


class Encoder(Protocol):
    """A model that maps queries and passages to vectors."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of queries."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of passages."""


def passage_encoder(encoder: Encoder, side: Literal["passages", "queries"]) -> Callable[[Sequence[str]], Vectors]:
    """Return the function that encodes passages, with the prefix of passages or of queries."""
    return encoder.queries if side == "queries" else encoder.passages


TOGETHER = 4096
"""Texts encoded per call: enough to sort them by length, few enough to limit memory."""

FORMAT = 1
FORM = "encodings.json"

_BYTES_AT_ONCE = 2**24
_NEWLINE = 10


def write_encodings(
    encode: Callable[[Sequence[str]], Vectors],
    rows: Iterable[tuple[str, str]],
    total: int,
    folder: Path,
    dtype: StoredType = "float32",
    *,
    shard: Shard,
) -> int:
    """Encode a shard of a corpus's passages into a new folder, and return their number.

    Args:
        encode: returns the vectors of at most :data:`TOGETHER` texts.
        rows: (id, text) of all passages of the corpus, not only of the shard.
        total: number of all passages.
        folder: the new folder; the caller makes it atomic.
        dtype: the number type of the stored vectors.
        shard: the shard; ``Shard(1, 1)`` contains all passages.

    Raises:
        DataError: there are fewer passages than ``total``.
        ModelError: a component of a vector is not a finite number of the stored type.
    """
    own = shard.rows(total, TOGETHER)
    with Progress(len(own), "passages") as state:
        done = _write(folder, len(own), dtype, _encode(encode, shard.take(rows, total, TOGETHER), dtype, state))
    if done < len(own):
        raise DataError(f"shard {shard}: {done:,} passages; expected {len(own):,}; did the corpus change?")
    return done


def _encode(
    encode: Callable[[Sequence[str]], Vectors], rows: Iterable[tuple[str, str]], dtype: StoredType, state: Progress
) -> Iterator[VectorPart]:
    for chunk in split_into_batches(rows, TOGETHER):
        with np.errstate(over="ignore"):
            vectors = encode([text for _, text in chunk]).astype(dtype, copy=False)
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            name = chunk[int(np.argmin(finite))][0]
            raise ModelError(f"passage {name}: the vector is not finite as {dtype}; expected finite numbers")
        yield (name for name, _ in chunk), vectors
        state.advance(len(chunk))


def _write(folder: Path, rows: int, dtype: StoredType, parts: Iterable[VectorPart]) -> int:
    """Write vectors and ids into a new folder with space for ``rows``, and return the number of written rows."""
    folder.mkdir()
    create = partial(np.lib.format.open_memmap, folder / "vectors.npy", mode="w+", dtype=np.dtype(dtype))
    stored, done = None, 0
    with (folder / "ids.jsonl").open("w", encoding="utf-8") as names:
        for ids, vectors in parts:
            stored = create(shape=(rows, vectors.shape[1])) if stored is None else stored
            stored[done : done + len(vectors)] = vectors
            names.writelines(map(_id_line, ids))
            done += len(vectors)
    stored = create(shape=(0, 0)) if stored is None else stored  # without rows the dimensions are unknown
    stored.flush()
    write_format(folder, FORM, FORMAT, rows=done, dimensions=stored.shape[1], dtype=dtype)
    return done


class Encodings:
    """The memory-mapped vectors and ids of a corpus, from the folders of all shards."""

    def __init__(self, folders: Sequence[Path], total: int) -> None:
        """Open the folders.

        Args:
            folders: the folders of all shards in order, made by :func:`write_encodings`.
            total: number of passages of the corpus.

        Raises:
            DataError: a folder has another version or is damaged, or the folders differ in dimensions or type.
            ShardError: a shard does not contain its rows.
        """
        forms = [read_format(folder, FORM, FORMAT) for folder in folders]
        check_shards([(folder, form["rows"]) for folder, form in zip(folders, forms, strict=True)], total, TOGETHER)
        kept = [(folder, form) for folder, form in zip(folders, forms, strict=True) if form["rows"]]
        kinds: set[tuple[int, StoredType]] = {(form["dimensions"], form["dtype"]) for _, form in kept}
        if len(kinds) > 1:
            found = " and ".join(sorted(f"{dimensions} dimensions as {dtype}" for dimensions, dtype in kinds))
            raise DataError(f"{kept[0][0].parent}: shards have {found}; delete the folder and run again")
        self.dimensions, self.dtype = next(iter(kinds), (0, "float32"))
        self._vectors = [_vectors(folder, form) for folder, form in kept]
        self._ids = [MappedIds(folder / "ids.jsonl", form["rows"]) for folder, form in kept]
        self._starts = np.cumsum([0, *(form["rows"] for _, form in kept)])

    def __len__(self) -> int:
        """Return the number of vectors."""
        return int(self._starts[-1])

    def stored(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the vectors from ``start`` to ``stop`` in their stored type."""
        parts = [
            vectors[max(start - first, 0) : max(stop - first, 0)]
            for first, vectors in zip(self._starts.tolist(), self._vectors, strict=False)
        ]
        filled = [part for part in parts if len(part)]
        return filled[0] if len(filled) == 1 else np.concatenate([np.zeros((0, self.dimensions), self.dtype), *filled])

    def blocks(self, size: int) -> Iterator[tuple[int, Vectors]]:
        """Yield (index of the first vector, vectors as float32) per block, independent of the shards.

        Args:
            size: vectors per block.
        """
        for start in range(0, len(self), size):
            yield start, np.ascontiguousarray(self.stored(start, start + size), dtype=np.float32)

    def at(self, places: Iterable[int]) -> Vectors:
        """Return the vectors at some indices as float32, in the order of the indices."""
        found = [self.stored(place, place + 1) for place in places]
        return np.concatenate([np.zeros((0, self.dimensions), self.dtype), *found]).astype(np.float32)

    def id(self, place: int) -> str:
        """Return the id of the passage at an index, from 0."""
        part = int(np.searchsorted(self._starts, place, side="right")) - 1
        return self._ids[part][place - int(self._starts[part])]

    def ids(self) -> Iterator[str]:
        """Yield all ids, in the order of the vectors."""
        return chain.from_iterable(self._ids)

    def copy(self, folder: Path) -> None:
        """Concatenate all shards in a new folder, block by block."""
        ids, starts = self.ids(), range(0, len(self), TOGETHER)
        blocks = (self.stored(start, start + TOGETHER) for start in starts)
        _write(folder, len(self), self.dtype, ((islice(ids, len(block)), block) for block in blocks))


def read_encodings(folder: Path) -> Encodings:
    """Open a folder with the vectors of a whole corpus, made by :meth:`Encodings.copy`.

    Raises:
        DataError: the folder has another version or is damaged.
    """
    return Encodings([folder], read_format(folder, FORM, FORMAT)["rows"])


def _vectors(folder: Path, form: dict[str, Any]) -> npt.NDArray[Any]:
    path = folder / "vectors.npy"
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); delete the folder and run again") from error
    if vectors.shape != (form["rows"], form["dimensions"]) or vectors.dtype != form["dtype"]:
        raise DataError(
            f"{path}: {vectors.shape} as {vectors.dtype} differs from encodings.json; delete the folder and run again"
        )
    return vectors  # type: ignore[no-any-return]  # of either stored type


def _id_line(name: str) -> str:
    """Return an id as a line with a JSON string, because an id may contain any character."""
    return json.dumps(name) + "\n"


def write_ids(path: Path, names: Iterable[str]) -> None:
    """Write ids, one per line."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(map(_id_line, names))


class MappedIds:
    """The ids of a memory-mapped file; 8 bytes per id are kept in memory."""

    def __init__(self, path: Path, rows: int) -> None:
        """Find the lines.

        Args:
            path: JSON strings, one per line.
            rows: the expected number of lines.

        Raises:
            DataError: the number of lines differs.
        """
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.zeros(0, np.uint8)
        starts = range(0, len(self._bytes), _BYTES_AT_ONCE)
        ends = [np.flatnonzero(self._bytes[start : start + _BYTES_AT_ONCE] == _NEWLINE) + start for start in starts]
        self._ends = np.concatenate([np.array([-1]), *ends])
        if len(self) != rows:
            raise DataError(f"{path}: {len(self):,} ids of {rows:,} vectors; delete the folder and run again")

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self._ends) - 1

    def __getitem__(self, place: int) -> str:
        """Return the id at an index, from 0."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        name: str = json.loads(self._bytes[self._ends[place] + 1 : self._ends[place + 1]].tobytes())
        return name

    def __iter__(self) -> Iterator[str]:
        """Yield all ids in order."""
        return (self[place] for place in range(len(self)))
