"""The lines of a batch: split by the provider's limits on the way out, told apart on the way back."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synthrank.errors import ProviderError
from synthrank.files import atomic_text
from synthrank.llms.base import Answer, Client
from synthrank.records import Request
from synthrank.specs.llms import Batch

MEGABYTE = 1_000_000
"""The providers do not say which megabyte they mean; the smaller one is safe."""


@dataclass(slots=True)
class Outcome:
    """What the result files of a batch held.

    ``errors`` are by key; ``unasked`` are the answered lines whose keys nobody asks for any more.
    """

    answered: int = 0
    duplicates: int = 0
    malformed: int = 0
    foreign: int = 0
    errors: dict[str, ProviderError] = field(default_factory=dict)
    unasked: list[dict[str, Any]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return the counts under the names that the log and the archive give them."""
        return {
            "answered": self.answered,
            "errors": len(self.errors),
            "duplicates": self.duplicates,
            "malformed": self.malformed,
            "foreign": self.foreign,
            "unasked": len(self.unasked),
        }


def encoded(client: Client, key: str, request: Request) -> str:
    """Return the line of one request, with its end."""
    return json.dumps(client.batch_line(key, request), ensure_ascii=False) + "\n"


def split(client: Client, limits: Batch, keys: Iterable[str], requests: Mapping[str, Request]) -> list[list[str]]:
    """Return the keys in batches that keep to the limits on lines and on bytes, in order.

    Raises:
        ProviderError: the line of one request alone is too large.
    """
    batches: list[list[str]] = []
    most, size = limits.megabytes * MEGABYTE, 0
    for key in keys:
        length = len(encoded(client, key, requests[key]).encode())
        if length > most:
            raise ProviderError(
                f"query {requests[key].query_id}: its line of {length} bytes exceeds the {most} of a batch file "
                "(batch.megabytes); shorten the prompt or use mode live"
            )
        if not batches or len(batches[-1]) == limits.lines or size + length > most:
            batches.append([])
            size = 0
        batches[-1].append(key)
        size += length
    return batches


def write_lines(client: Client, path: Path, keys: Sequence[str], requests: Mapping[str, Request]) -> None:
    """Write the input file of a batch."""
    with atomic_text(path) as stream:
        stream.writelines(encoded(client, key, requests[key]) for key in keys)


def read_lines(
    client: Client, paths: Iterable[Path], keys: frozenset[str], outcome: Outcome
) -> Iterator[tuple[str, Answer, dict[str, Any]]]:
    """Yield key, answer and line of every answer to one of the keys, the first of each; count everything else.

    An error beside an answer to the same key does not count: what is paid is taken.
    """
    seen: set[str] = set()
    answered: set[str] = set()
    for path in paths:
        with path.open("rb") as stream:
            for text in stream:
                if not text.strip():
                    continue
                try:
                    line = json.loads(text)
                    key, said = client.read_line(line)
                    ours = key in keys
                except (ProviderError, ValueError, KeyError, TypeError, AttributeError):
                    # Whatever a client stumbles over: a line that cannot be read is as good as a missing one.
                    outcome.malformed += 1
                    continue
                if not ours:
                    outcome.foreign += 1
                    continue
                outcome.duplicates += key in seen
                seen.add(key)
                if isinstance(said, ProviderError):
                    outcome.errors.setdefault(key, said)
                elif key not in answered:
                    answered.add(key)
                    yield key, said, line
    for key in answered:
        outcome.errors.pop(key, None)
