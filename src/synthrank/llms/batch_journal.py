"""The journal of batches: what is known to have been submitted, so that nothing is submitted twice.

One file an open batch, written before it is submitted and again when the provider has named it. A batch whose answers
were all taken moves to ``done/``; answers that nobody asked for any more are kept in ``unasked/``, for they are paid.
"""

import hashlib
import json
import shutil
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.errors import DataError, StoreError
from synthrank.files import read_jsonl, write_json, write_jsonl


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch: the keys of its requests, and ``batch_id``, the provider's, once it is known to be submitted.

    ``state`` is ``intended`` from before the submission and ``submitted`` once the id is known; ``round`` counts how
    often these requests were submitted, this time included.
    """

    name: str
    keys: tuple[str, ...]
    round: int
    state: str = "intended"
    batch_id: str = ""


class Journal:
    """The entries in a folder. One process at a time submits the same requests; others may use the folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, entry: Entry) -> Path:
        """Return the file of an open entry."""
        return self.folder / f"{entry.name}.json"

    def input_file(self, entry: Entry) -> Path:
        """Return where the lines that are submitted are written."""
        return self.folder / f"{entry.name}.jsonl"

    def results(self, entry: Entry) -> Path:
        """Return an empty folder for the result files."""
        folder = self.folder / f"{entry.name}.results"
        with disk_errors(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        return folder

    def new(self, keys: Sequence[str], round_: int) -> Entry:
        """Write down that these keys will be submitted, under a name that only they have.

        The same keys have the same name, until a batch of that name is done: the provider knows the name already.
        """
        serial = 0
        while self._done(name := _name(keys, serial)).exists():
            serial += 1
        entry = Entry(name, tuple(keys), round_)
        self.write(entry)
        return entry

    def write(self, entry: Entry) -> None:
        """Write an open entry; it is durable on return."""
        with disk_errors(self.path(entry)):
            write_jsonl(self.path(entry), [entry])

    def open_entries(self) -> list[Entry]:
        """Return the entries that are not done.

        Raises:
            StoreError: a file cannot be read.
        """
        entries = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                (entry,) = read_jsonl(path, Entry)
            except (DataError, ValueError) as error:
                raise StoreError(
                    f"{path}: is not the journal of a batch ({error}); remove it to submit the requests of batch "
                    f"{path.stem} again, which are paid twice if that batch was submitted"
                ) from error
            if self._done(entry.name).exists():
                self.forget(entry)  # The process ended between the two steps of `close`.
            else:
                entries.append(entry)
        return entries

    def close(self, entry: Entry, outcome: Mapping[str, Any]) -> None:
        """Move an entry to ``done/``, all its answers being stored."""
        summary = {"name": entry.name, "batch_id": entry.batch_id, "round": entry.round, "requests": len(entry.keys)}
        with disk_errors(self._done(entry.name)):
            write_json(self._done(entry.name), {**summary, **outcome})
        self.forget(entry)

    def forget(self, entry: Entry) -> None:
        """Remove the files of an entry, half-written ones of an interrupted process too; the entry itself last."""
        for pattern in (f"{entry.name}.*", f".{entry.name}.*"):
            for path in set(self.folder.glob(pattern)) - {self.path(entry)}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.path(entry).unlink(missing_ok=True)

    def keep(self, entry: Entry, lines: Sequence[Mapping[str, Any]]) -> None:
        """Keep result lines that no request asked for, as ``{"key", "line"}``."""
        path = self.folder / "unasked" / f"{entry.name}.json"
        with disk_errors(path):
            write_json(path, list(lines))

    def kept(self, wanted: Container[str]) -> Iterator[dict[str, Any]]:
        """Yield the kept result lines of the wanted keys.

        Raises:
            StoreError: a file cannot be read.
        """
        for path in sorted((self.folder / "unasked").glob("*.json")):
            try:
                lines = json.loads(path.read_bytes())
                yield from (row["line"] for row in lines if row["key"] in wanted)
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise StoreError(f"{path}: cannot be read ({error}); remove it to ask its requests again") from error

    def _done(self, name: str) -> Path:
        return self.folder / "done" / f"{name}.json"


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the error of a full or read-only disk into one line."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); make room and run again: submitted batches are found again"
        ) from error


def _name(keys: Sequence[str], serial: int) -> str:
    content = json.dumps([sorted(keys), serial])
    return "synthrank-" + hashlib.sha256(content.encode()).hexdigest()[:32]
