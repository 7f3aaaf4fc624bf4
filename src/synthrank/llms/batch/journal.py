"""The journal of batches: records submissions, so that no batch is submitted twice.

One file per open batch, written before the batch is submitted and again with the provider's id. When all answers of a
batch are stored, its file moves to ``done/``. Answers to requests that the job does not contain are kept in
``unasked/``, because they were paid for.
"""

import hashlib
import json
import shutil
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.errors import DataError, StoreError


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch: the keys of its requests, and the provider's ``batch_id`` once it is submitted.

    ``state`` is ``intended`` before the submission and ``submitted`` once the id is known. ``round`` is the number of
    submissions of these requests, including this one.
    """

    name: str
    keys: tuple[str, ...]
    round: int
    state: str = "intended"
    batch_id: str = ""


class Journal:
    """The entries in a folder. Several processes may share the folder if their requests differ."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, entry: Entry) -> Path:
        """Return the file of an open entry."""
        return self.folder / f"{entry.name}.json"

    def input_file(self, entry: Entry) -> Path:
        """Return the path of the batch's input file."""
        return self.folder / f"{entry.name}.jsonl"

    def results(self, entry: Entry) -> Path:
        """Return an empty folder for the result files."""
        folder = self.folder / f"{entry.name}.results"
        with disk_errors(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        return folder

    def new(self, keys: Sequence[str], round_: int) -> Entry:
        """Write an entry for these keys, under a name derived from them.

        The same keys get the same name until a batch of that name is done. Then the provider has used the name, and
        the keys get a new one.
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
                    f"{path}: not a journal entry ({error}); remove it to submit the requests of batch {path.stem} "
                    "again; they are paid twice if that batch was submitted"
                ) from error
            if self._done(entry.name).exists():
                self.forget(entry)  # The process ended between the two steps of `close`.
            else:
                entries.append(entry)
        return entries

    def close(self, entry: Entry, outcome: Mapping[str, Any]) -> None:
        """Move an entry to ``done/``. All its answers must be stored."""
        summary = {"name": entry.name, "batch_id": entry.batch_id, "round": entry.round, "requests": len(entry.keys)}
        with disk_errors(self._done(entry.name)):
            write_json(self._done(entry.name), {**summary, **outcome})
        self.forget(entry)

    def forget(self, entry: Entry) -> None:
        """Remove the files of an entry, including incomplete files of an interrupted process; the entry itself last."""
        for pattern in (f"{entry.name}.*", f".{entry.name}.*"):
            for path in set(self.folder.glob(pattern)) - {self.path(entry)}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.path(entry).unlink(missing_ok=True)

    def keep(self, entry: Entry, lines: Sequence[Mapping[str, Any]]) -> None:
        """Keep result lines that belong to no current request, as ``{"key", "line"}``."""
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
                raise StoreError(f"{path}: cannot be read ({error}); remove it to send its requests again") from error

    def _done(self, name: str) -> Path:
        return self.folder / "done" / f"{name}.json"


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise StoreError with a one-line message in place of OSError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror}); free space and run again to resume the submitted batches"
        ) from error


def _name(keys: Sequence[str], serial: int) -> str:
    content = json.dumps([sorted(keys), serial])
    return "synthrank-" + hashlib.sha256(content.encode()).hexdigest()[:32]
