"""Failed attempts that the provider may have billed, counted over all runs."""

import json
from collections import Counter
from pathlib import Path

from synthrank.errors import StoreError, TransientError


class Attempts:
    """Attempts per key in a file of JSON lines, to which several processes may append."""

    def __init__(self, folder: Path) -> None:
        """Read the file, if there is one; lines that are not readable count as absent."""
        self.path = folder / "attempts.jsonl"
        self._counts: Counter[str] = Counter()
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read ({error.strerror}); check permissions") from error
        for line in lines:
            try:
                self._counts[str(json.loads(line)["key"])] += 1
            except (ValueError, KeyError, TypeError):
                continue

    def earlier(self, key: str) -> int:
        """Return the number of attempts of a key in earlier runs."""
        return self._counts[key]

    def add(self, key: str, error: TransientError) -> None:
        """Record a failed attempt, if it may have been billed; the number of earlier attempts does not change."""
        if not error.may_be_billed:
            return
        line = json.dumps({"key": key, "error": str(error)}) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                stream.write(line.encode())
        except OSError as failure:
            raise StoreError(f"{self.path}: cannot be written ({failure.strerror}); free space") from failure
