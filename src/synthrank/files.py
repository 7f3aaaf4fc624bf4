"""Files that steps hand to each other: JSON lines of records, written whole or not at all."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, TextIO, TypeVar, Union, get_args, get_origin, get_type_hints

from synthrank.errors import ChecksumError, DataError

R = TypeVar("R")

_ENCODINGS = ("utf-8", "utf-8-sig")
"""Of all lines but the first, and of that one, before which editors may put a byte order mark."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it takes the final name only if the block ends without an error.

    The block may create a file or a folder there. An interrupted job leaves nothing under the final name.
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
            error.filename = str(path)  # a write on a full disk does not say of which file
        raise
    finally:
        shutil.rmtree(holder, ignore_errors=True)


@contextmanager
def atomic_text(path: Path) -> Iterator[TextIO]:
    """Open ``path`` for writing UTF-8 text that appears under its name only when the block ends without an error."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def write_jsonl(path: Path, records: Iterable[Any]) -> int:
    """Write one record a line and return how many there were."""
    count = 0
    with atomic_text(path) as stream:
        for record in records:
            stream.write(json.dumps(_plain(record), default=_plain, ensure_ascii=False) + "\n")
            count += 1
    return count


def _plain(record: Any) -> dict[str, Any]:
    """Return the fields of a record as they are: JSON asks again for the records among them.

    ``dataclasses.asdict`` copies every value on the way, which took four times as long as the JSON itself.
    """
    return {name: getattr(record, name) for name in _names(record.__class__)}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


def write_json(path: Path, value: Any) -> None:
    """Write one JSON value, indented, keys in the order given."""
    with atomic_text(path) as stream:
        json.dump(value, stream, ensure_ascii=False, indent=2)
        stream.write("\n")


def write_format(folder: Path, file: str, version: int, **what: Any) -> None:
    """Write ``file`` into a folder of binary data: the version of its format, and facts needed to read the rest."""
    write_json(folder / file, {"format": version, **what})


def read_format(folder: Path, file: str, version: int) -> dict[str, Any]:
    """Return the facts that :func:`write_format` wrote.

    Raises:
        DataError: the folder is of another version, or has no such file.
    """
    try:
        what = json.loads((folder / file).read_text(encoding="utf-8"))
        found = what.pop("format")
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        raise DataError(f"{folder}: has no {file}; another version made it, or another step: delete it") from None
    if found != version:
        raise DataError(f"{folder}: made by another version, format {found}; this one reads {version}: delete it")
    return dict(what)


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end) of a UTF-8 file; a byte order mark before the first is no text.

    Raises:
        DataError: the file is absent, or a line is not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield number, line.decode(_ENCODINGS[number == 1]).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}:{number}: byte {error.start + 1} of the line is not UTF-8; convert the file"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a file of JSON lines or text") from error


def count_lines(path: Path) -> int:
    """Return how many lines :func:`json_lines` would yield, without parsing them.

    Raises:
        DataError: the file is absent.
    """
    try:
        with path.open("rb") as stream:
            first = stream.readline().removeprefix(BOM_UTF8)
            return bool(first.strip()) + sum(1 for line in stream if line.strip())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a file of JSON lines") from error


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSON lines file, blank lines skipped.

    Raises:
        DataError: a line is not a JSON object.
    """
    for number, line in text_lines(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{path}:{number}: not JSON ({error.msg}); expected one object a line") from error
        if not isinstance(value, dict):
            raise DataError(f"{path}:{number}: a JSON {type(value).__name__}; expected an object")
        yield number, value


def read_jsonl(path: Path, kind: type[R]) -> Iterator[R]:
    """Yield the records of a JSON lines file as ``kind``.

    Raises:
        DataError: a line is not JSON, lacks a field, has an unknown one, or a value of another type.
    """
    for number, value in json_lines(path):
        try:
            yield _build(kind, value)
        except (TypeError, KeyError) as error:
            raise DataError(f"{path}:{number}: not a {kind.__name__} ({error})") from error


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {item.name: hints[item.name] for item in fields(kind)}


def _build(kind: Any, value: Any) -> Any:
    """Return ``value`` as the annotated type ``kind``, checked through nested records and tuples."""
    origin = get_origin(kind)
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(value, dict):
        hints = _hints(kind)
        unknown = value.keys() - hints.keys()
        if unknown:
            raise TypeError(f"unknown key {sorted(unknown)[0]!r}, keys are {', '.join(hints)}")
        return kind(**{name: _build(hints[name], item) for name, item in value.items()})
    if origin is tuple and isinstance(value, list):
        return tuple(_build(get_args(kind)[0], item) for item in value)
    if origin is dict and isinstance(value, dict):
        return value
    if origin in (tuple, dict):
        raise TypeError(f"{value!r} where {'a list' if origin is tuple else 'an object'} was expected")
    if origin in (Union, UnionType):
        kinds = get_args(kind)
    else:
        kinds = (float, int) if kind is float else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise TypeError(f"{value!r} where {getattr(kind, '__name__', kind)} was expected")
    return value


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_sha256(path: Path, expected: str, stated_in: str) -> None:
    """Raise ChecksumError unless the file has the SHA-256 that ``stated_in`` pins."""
    actual = sha256_of(path)
    if actual != expected:
        raise ChecksumError(f"{path}: sha256 is {actual}, but {stated_in} states {expected}; restore the pinned file")
