"""Hashes of files and folders by their content, so that copied or moved files count as unchanged."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

NOT_CONTENT = ".snakemake_timestamp"
"""Snakemake's file in the folders that jobs make."""

KEPT_BYTES = 1_000_000
"""Hashes of smaller files are not written, because computing them takes no time."""


class ContentHashes:
    """SHA-256 of files and folders. The hashes of large files are kept until size, times or inode of the file change.

    Args:
        kept: the file of hashes, which later processes read. A missing or damaged file only costs time.
    """

    def __init__(self, kept: Path = Path(".snakemake/content-hashes.json")) -> None:
        self._kept = kept
        self._hashes: dict[str, str] | None = None
        self._small: dict[str, str] = {}

    def of(self, path: Path) -> str:
        """Return the hash of a file, or of the names and contents of all files in a folder.

        Raises:
            OSError: a file cannot be read.
        """
        if not path.is_dir():
            return self._of_file(path)
        found = (Path(folder, name) for folder, _, names in os.walk(path, followlinks=True) for name in names)
        return self.of_files(path, (file for file in found if file.name != NOT_CONTENT and file.is_file()))

    def of_files(self, folder: Path, files: Iterable[Path]) -> str:
        """Return a hash of the contents of files and of their paths relative to a folder."""
        lines = [f"{file.relative_to(folder).as_posix()}\0{self._of_file(file)}\0" for file in sorted(files)]
        return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()

    def _of_file(self, path: Path) -> str:
        state = path.stat()
        # ctime changes with every write, also if a program restores the time of the file. The device is left out: the
        # nodes of a cluster number a shared file system differently.
        key = f"{state.st_ino}-{state.st_size}-{state.st_mtime_ns}-{state.st_ctime_ns}"
        is_small = state.st_size < KEPT_BYTES
        known = self._small if is_small else self._read()
        if key not in known:
            known[key] = _sha256_of(path)
            if not is_small:
                self._write(known)
        return known[key]

    def _write(self, known: Mapping[str, str]) -> None:
        with suppress(OSError):
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            part = self._kept.with_name(f"{self._kept.name}.{os.getpid()}")
            part.write_text(json.dumps(known), encoding="utf-8")
            os.replace(part, self._kept)

    def _read(self) -> dict[str, str]:
        if self._hashes is None:
            self._hashes = {}
            with suppress(OSError, ValueError):
                kept = json.loads(self._kept.read_text(encoding="utf-8"))
                if isinstance(kept, dict):
                    self._hashes = {str(key): str(value) for key, value in kept.items()}
        return self._hashes


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
