"""Vectors of a collection in folders, one per shard: written in a stream, read in blocks, never held whole.

A folder holds ``vectors.npy``, shape (rows, dimensions), ``ids.jsonl``, the id of each row as a JSON string per line,
and ``encodings.json``, which states the version of this format, the rows, the dimensions and the number type. A vector
takes 4 bytes per dimension as float32, 2 as float16: 8.8 million passages with 768 dimensions 27 or 13.5 GB.

The last digit of a vector depends on the batch of its text. So the rows that are encoded together stay together in one
shard, :data:`TOGETHER` of them, and the vectors do not depend on the number of shards.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from synthrank.errors import DataError, ModelError
from synthrank.files import read_format, write_format
from synthrank.progress import Progress
from synthrank.shards import Shard, check_shards
from synthrank.texts import chunks

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimensions)."""

StoredType = Literal["float32", "float16"]

Part = tuple[Iterable[str], npt.NDArray[Any]]
"""Ids, and their vectors, shape (ids, dimensions)."""


class Encoder(Protocol):
    """Gives vectors of queries and passages."""

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of queries."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of passages."""


def passage_encoder(encoder: Encoder, side: Literal["passages", "queries"]) -> Callable[[Sequence[str]], Vectors]:
    """Return what encodes passages: with the prefix of passages, or with that of queries if a test set says so."""
    return encoder.queries if side == "queries" else encoder.passages


TOGETHER = 4096
"""Texts encoded at a time: sorting them by length pays, and memory stays bounded."""

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
    """Encode a shard of some passages into a new folder, and return how many there were.

    Args:
        encode: gives the vectors of at most :data:`TOGETHER` texts.
        rows: (id, text) of every passage of the collection, not of the shard alone.
        total: how many these are.
        folder: the new folder; the caller makes it atomic.
        dtype: the type that the vectors are stored in.
        shard: which shard; ``Shard(1, 1)`` is all.

    Raises:
        DataError: there are fewer passages than ``total``.
        ModelError: a component of a vector is not a finite number of the stored type.
    """
    own = shard.rows(total, TOGETHER)
    with Progress(len(own), "passages") as state:
        done = _write(folder, len(own), dtype, _encoded(encode, shard.take(rows, total, TOGETHER), dtype, state))
    if done < len(own):
        raise DataError(f"shard {shard}: {done:,} passages of {len(own):,}; were passages removed while it ran?")
    return done


def _encoded(
    encode: Callable[[Sequence[str]], Vectors], rows: Iterable[tuple[str, str]], dtype: StoredType, state: Progress
) -> Iterator[Part]:
    for chunk in chunks(rows, TOGETHER):
        with np.errstate(over="ignore"):
            vectors = encode([text for _, text in chunk]).astype(dtype, copy=False)
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            name = chunk[int(np.argmin(finite))][0]
            raise ModelError(f"passage {name}: its vector is not finite as {dtype}; expected finite numbers")
        yield (name for name, _ in chunk), vectors
        state.advance(len(chunk))


def _write(folder: Path, rows: int, dtype: StoredType, parts: Iterable[Part]) -> int:
    """Write vectors and their ids, in a new folder, and return how many rows there were of those announced."""
    folder.mkdir()
    create = partial(np.lib.format.open_memmap, folder / "vectors.npy", mode="w+", dtype=np.dtype(dtype))
    stored, done = None, 0
    with (folder / "ids.jsonl").open("w", encoding="utf-8") as names:
        for ids, vectors in parts:
            stored = create(shape=(rows, vectors.shape[1])) if stored is None else stored
            stored[done : done + len(vectors)] = vectors
            names.writelines(map(_id_line, ids))
            done += len(vectors)
    stored = create(shape=(0, 0)) if stored is None else stored  # without rows there are no dimensions either
    stored.flush()
    write_format(folder, FORM, FORMAT, rows=done, dimensions=stored.shape[1], dtype=dtype)
    return done


class Encodings:
    """The vectors and ids of a collection, from the folders of all shards; memory-mapped."""

    def __init__(self, folders: Sequence[Path], total: int) -> None:
        """Open the folders.

        Args:
            folders: those of all shards, from the first on, as :func:`write_encodings` made them.
            total: the passages of the collection.

        Raises:
            DataError: a folder is of another version or broken, or the folders differ in dimensions or type.
            ShardError: a shard does not hold the rows that it should.
        """
        forms = [read_format(folder, FORM, FORMAT) for folder in folders]
        check_shards([(folder, form["rows"]) for folder, form in zip(folders, forms, strict=True)], total, TOGETHER)
        kept = [(folder, form) for folder, form in zip(folders, forms, strict=True) if form["rows"]]
        kinds: set[tuple[int, StoredType]] = {(form["dimensions"], form["dtype"]) for _, form in kept}
        if len(kinds) > 1:
            told = " and ".join(sorted(f"{dimensions} dimensions as {dtype}" for dimensions, dtype in kinds))
            raise DataError(f"{kept[0][0].parent}: shards have {told}; delete the folder, run again")
        self.dimensions, self.dtype = next(iter(kinds), (0, "float32"))
        self._vectors = [_vectors(folder, form) for folder, form in kept]
        self._ids = [Ids(folder / "ids.jsonl", form["rows"]) for folder, form in kept]
        self._starts = np.cumsum([0, *(form["rows"] for _, form in kept)])

    def __len__(self) -> int:
        """Return how many vectors there are."""
        return int(self._starts[-1])

    def stored(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the vectors of some places, as they are stored."""
        parts = [
            vectors[max(start - first, 0) : max(stop - first, 0)]
            for first, vectors in zip(self._starts.tolist(), self._vectors, strict=False)
        ]
        filled = [part for part in parts if len(part)]
        return filled[0] if len(filled) == 1 else np.concatenate([np.zeros((0, self.dimensions), self.dtype), *filled])

    def blocks(self, size: int) -> Iterator[tuple[int, Vectors]]:
        """Yield (place of the first, vectors as float32) of blocks; they end where the size says, whatever the shards.

        Args:
            size: vectors per block, 4 bytes per component.
        """
        for start in range(0, len(self), size):
            yield start, np.ascontiguousarray(self.stored(start, start + size), dtype=np.float32)

    def at(self, places: Iterable[int]) -> Vectors:
        """Return the vectors of some places as float32, in the order of the places."""
        found = [self.stored(place, place + 1) for place in places]
        return np.concatenate([np.zeros((0, self.dimensions), self.dtype), *found]).astype(np.float32)

    def id(self, place: int) -> str:
        """Return the id of the passage at a place, from 0."""
        part = int(np.searchsorted(self._starts, place, side="right")) - 1
        return self._ids[part][place - int(self._starts[part])]

    def ids(self) -> Iterator[str]:
        """Yield all ids, in the order of the vectors."""
        return chain.from_iterable(self._ids)

    def copy(self, folder: Path) -> None:
        """Write all shards as one into a new folder, block by block."""
        ids, starts = self.ids(), range(0, len(self), TOGETHER)
        blocks = (self.stored(start, start + TOGETHER) for start in starts)
        _write(folder, len(self), self.dtype, ((islice(ids, len(block)), block) for block in blocks))


def read_encodings(folder: Path) -> Encodings:
    """Open one folder that holds a whole collection, as :meth:`Encodings.copy` made it.

    Raises:
        DataError: the folder is of another version or broken.
    """
    return Encodings([folder], read_format(folder, FORM, FORMAT)["rows"])


def _vectors(folder: Path, form: dict[str, Any]) -> npt.NDArray[Any]:
    path = folder / "vectors.npy"
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); delete the folder, run again") from error
    if vectors.shape != (form["rows"], form["dimensions"]) or vectors.dtype != form["dtype"]:
        raise DataError(f"{path}: {vectors.shape} as {vectors.dtype} is not what encodings.json says; run again")
    return vectors  # type: ignore[no-any-return]  # whatever the type that is stored


def _id_line(name: str) -> str:
    """Return an id as a line: a JSON string, since an id may hold anything."""
    return json.dumps(name) + "\n"


def write_ids(path: Path, names: Iterable[str]) -> None:
    """Write ids, one per line."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(map(_id_line, names))


class Ids:
    """The ids of a file that is memory-mapped; 8 bytes of each are held."""

    def __init__(self, path: Path, rows: int) -> None:
        """Find the lines.

        Args:
            path: JSON strings, one per line.
            rows: how many there must be.

        Raises:
            DataError: there are more, or fewer.
        """
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.zeros(0, np.uint8)
        starts = range(0, len(self._bytes), _BYTES_AT_ONCE)
        ends = [np.flatnonzero(self._bytes[start : start + _BYTES_AT_ONCE] == _NEWLINE) + start for start in starts]
        self._ends = np.concatenate([np.array([-1]), *ends])
        if len(self) != rows:
            raise DataError(f"{path}: {len(self):,} ids of {rows:,} vectors; delete the folder, run again")

    def __len__(self) -> int:
        """Return how many ids there are."""
        return len(self._ends) - 1

    def __getitem__(self, place: int) -> str:
        """Return the id at a place, from 0."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        name: str = json.loads(self._bytes[self._ends[place] + 1 : self._ends[place + 1]].tobytes())
        return name

    def __iter__(self) -> Iterator[str]:
        """Yield all ids, in their order."""
        return (self[place] for place in range(len(self)))
