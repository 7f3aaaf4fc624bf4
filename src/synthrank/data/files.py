"""Read and write files of records as JSON lines. Files are written atomically."""

import errno
import hashlib
import json
import logging
import math
import os
import shutil
import tempfile
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, TextIO, TypeVar, Union, get_args, get_origin, get_type_hints

from synthrank.data.json_objects import parse_object
from synthrank.errors import ChecksumError, DataError
from synthrank.runtime.text_files import decode_line

R = TypeVar("R")

LISTED = 5
"""Unknown keys that a warning lists."""

log = logging.getLogger(__name__)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path, and rename it to ``path`` if the block ends without an error.

    The block may create a file or a folder. An interrupted job leaves nothing at ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield holder / path.name
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(holder / path.name, path)
    except OSError as error:
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT):
            error.filename = str(path)  # an error of a full disk has no file name
        raise
    finally:
        shutil.rmtree(holder, ignore_errors=True)


@contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """Open ``path`` for UTF-8 text. The file appears only if the block ends without an error.

    Raises:
        DataError: the block wrote half of a surrogate pair.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        try:
            yield stream
        except UnicodeEncodeError as error:
            near = error.object[max(0, error.start - 30) : error.end + 30]
            raise DataError(
                f"{path}: half of a surrogate pair in {near!a}; expected text that UTF-8 can write"
            ) from error
        stream.flush()
        os.fsync(stream.fileno())


def write_jsonl(path: Path, records: Iterable[Any]) -> int:
    """Write one record per line and return the number of records.

    Raises:
        DataError: a record has a number that is not finite, or half of a surrogate pair.
    """
    count = 0
    with atomic_text(path) as stream:
        for record in records:
            try:
                line = json.dumps(_to_plain(record), default=_to_plain, ensure_ascii=False, allow_nan=False)
            except ValueError as error:
                raise DataError(
                    f"{path}: record {count + 1} has a number that is not finite; nothing is written"
                ) from error
            stream.write(line + "\n")
            count += 1
    return count


def _to_plain(record: Any) -> dict[str, Any]:
    """Return the fields of a record. JSON calls this function again for nested records.

    ``dataclasses.asdict`` copies every value, which takes four times as long as the JSON itself.
    """
    return {name: getattr(record, name) for name in _list_names(record.__class__)}


@cache
def _list_names(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value with indentation, and keys in their given order."""
    with atomic_text(path) as stream:
        json.dump(value, stream, ensure_ascii=False, indent=2)
        stream.write("\n")


def write_format(folder: Path, file: str, version: int, **what: Any) -> None:
    """Write the format version and metadata of a folder of binary data to ``file`` in it."""
    write_json(folder / file, {"format": version, **what})


def read_format(folder: Path, file: str, version: int) -> dict[str, Any]:
    """Return the metadata from :func:`write_format`.

    Raises:
        DataError: the folder has another format version or no such file.
    """
    try:
        what = json.loads((folder / file).read_text(encoding="utf-8"))
        found = what.pop("format")
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        raise DataError(f"{folder}: has no {file}; another version or step wrote it: delete it") from None
    if found != version:
        raise DataError(f"{folder}: has format {found}; this version reads {version}: delete it")
    return dict(what)


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a UTF-8 file, without a byte order mark.

    Raises:
        DataError: the file cannot be read, or a line is not UTF-8, has a NUL byte, or starts with a byte order mark
            that is not the first character of the file.
    """
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield number, decode_line(line, path, number, DataError).rstrip("\r\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a file of JSON lines or text") from error


def count_lines(path: Path) -> int:
    """Return the number of lines that :func:`json_lines` yields, without parsing them.

    Raises:
        DataError: the file is absent.
    """
    try:
        with path.open("rb") as stream:
            first = stream.readline().removeprefix(BOM_UTF8)
            return bool(first.strip()) + sum(1 for line in stream if line.strip())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a file of JSON lines") from error


def json_lines(path: Path, known: Collection[str] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSON lines file, blank lines skipped.

    Args:
        path: the file.
        known: the keys that the caller reads. Other keys are counted and logged once, after the last line. By default,
            all keys are known.

    Raises:
        DataError: a line is not a JSON object, repeats a key, or contains NaN, an infinite number, or half of a
            surrogate pair, which cannot be written as UTF-8.
    """
    others: Counter[str] = Counter()
    for number, line in text_lines(path):
        if not line.strip():
            continue
        value = parse_object(line, f"{path}:{number}")
        if known is not None:
            others.update(value.keys() - known)
        yield number, value
    if others:
        listed = ", ".join(f"{key!r} ({count:,} lines)" for key, count in sorted(others.items())[:LISTED])
        log.warning("%s: %d unknown keys, which are not read: %s", path, len(others), listed)


def read_jsonl(path: Path, kind: type[R]) -> Iterator[R]:
    """Yield the records of a JSON lines file as ``kind``.

    Raises:
        DataError: a line is not JSON, or a field is missing, unknown or of another type.
    """
    for number, value in json_lines(path):
        try:
            yield _build(kind, value)
        except (TypeError, KeyError) as error:
            raise DataError(f"{path}:{number}: not a {kind.__name__} ({error})") from error


@cache
def _read_hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {item.name: hints[item.name] for item in fields(kind)}


def _build(kind: Any, value: Any) -> Any:
    """Return ``value`` as the annotated type ``kind``, and check nested records and tuples."""
    origin = get_origin(kind)
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(value, dict):
        hints = _read_hints(kind)
        unknown = value.keys() - hints.keys()
        if unknown:
            raise TypeError(f"unknown key {sorted(unknown)[0]!r}, keys are {', '.join(hints)}")
        return kind(**{name: _build(hints[name], item) for name, item in value.items()})
    if origin is tuple and isinstance(value, list):
        return tuple(_build(get_args(kind)[0], item) for item in value)
    if origin is dict and isinstance(value, dict):
        return value
    if origin in (tuple, dict):
        raise TypeError(f"expected {'a list' if origin is tuple else 'an object'}, got {value!r:.200}")
    if origin in (Union, UnionType):
        kinds = get_args(kind)
    else:
        kinds = (float, int) if kind is float else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise TypeError(f"expected {getattr(kind, '__name__', kind)}, got {value!r:.200}")
    if isinstance(value, float) and not math.isfinite(value):  # 1e999
        raise TypeError("expected a finite number")
    return value


def sha256_of(path: Path) -> str:
    """Return the checksum of a file: the 64 hexadecimal digits of its SHA-256."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_sha256(path: Path, expected: str, stated_in: str) -> None:
    """Raise ChecksumError if the SHA-256 of the file differs from ``expected``, which ``stated_in`` contains."""
    actual = sha256_of(path)
    if actual != expected:
        raise ChecksumError(f"{path}: sha256 is {actual}, but {stated_in} states {expected}; restore the pinned file")
