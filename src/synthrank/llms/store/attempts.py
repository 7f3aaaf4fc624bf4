"""Failed attempts that the provider may have billed, counted over all runs."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from synthrank.errors import StoreError, TransientError

NAME = "attempts.jsonl"


class Attempts:
    """Attempts per key in a file of JSON lines, to which several processes may append."""

    def __init__(self, folder: Path) -> None:
        """Read the file, if there is one; lines that are not readable count as absent."""
        self.path = folder / NAME
        self._counts = Counter(str(line["key"]) for line in _lines(self.path) if "key" in line)

    def earlier(self, key: str) -> int:
        """Return the number of attempts of a key in earlier runs."""
        return self._counts[key]

    def add(self, key: str, error: TransientError, usd: float) -> None:
        """Record a failed attempt, if it may have been billed; the number of earlier attempts does not change.

        Args:
            key: the key of the request.
            error: the error of the attempt.
            usd: the highest price of the attempt.

        Raises:
            StoreError: the file cannot be written.
        """
        if not error.may_be_billed:
            return
        line = json.dumps({"key": key, "error": str(error), "usd": usd}) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                stream.write(line.encode())
        except OSError as failure:
            raise StoreError(f"{self.path}: cannot be written ({failure.strerror}); free space") from failure


def attempts_usd(folder: Path) -> float:
    """Return the highest price of all recorded attempts of a folder in US dollars."""
    path = folder / NAME
    return _price_of(path, path.stat().st_size) if path.exists() else 0.0


@lru_cache(maxsize=64)
def _price_of(path: Path, size: int) -> float:
    """Read the prices again only if the file has grown: a budget needs the sum before each request."""
    prices = [line.get("usd", 0.0) for line in _lines(path)]
    return sum(price for price in prices if isinstance(price, float) and price > 0)


def _lines(path: Path) -> Iterator[dict[str, object]]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); check permissions") from error
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value
