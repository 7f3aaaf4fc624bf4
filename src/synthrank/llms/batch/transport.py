"""Submit a batch once, poll it until it ends, and read its result files."""

import asyncio
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from synthrank.config.llms import Batch, HostedLlm
from synthrank.data.files import atomic_text
from synthrank.data.records import Request
from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer, BatchState, Client
from synthrank.llms.batch.journal import Entry, Journal, disk_errors
from synthrank.llms.bodies import parse_json
from synthrank.llms.live.retry import call_with_retries

MEGABYTE = 1_000_000
"""The providers do not define their megabyte; the smaller definition is safe."""

UPLOADS = 2
"""Batches uploaded at the same time: some clients read the whole input file, of up to 200 MB, into memory."""

log = logging.getLogger(__name__)


def split(client: Client, limits: Batch, keys: Iterable[str], requests: Mapping[str, Request]) -> list[list[str]]:
    """Split the keys, in order, into batches within the limits on lines and bytes.

    Raises:
        ProviderError: the line of a single request is too large.
    """
    batches: list[list[str]] = []
    most, size = limits.megabytes * MEGABYTE, 0
    for key in keys:
        length = len(_line(client, key, requests[key]).encode())
        if length > most:
            raise ProviderError(
                f"query {requests[key].query_id}: the request has {length} bytes, a batch file at most {most} "
                "(batch.megabytes); shorten the prompt or use mode: live"
            )
        if not batches or len(batches[-1]) == limits.lines or size + length > most:
            batches.append([])
            size = 0
        batches[-1].append(key)
        size += length
    return batches


def _line(client: Client, key: str, request: Request) -> str:
    return json.dumps(client.batch_line(key, request), ensure_ascii=False) + "\n"


@dataclass(slots=True)
class Ended:
    """A batch that has ended: its result files, and counts of the lines that :meth:`answers` has read so far.

    ``errors`` maps keys to errors. ``unasked`` holds answered lines of keys that the current job does not request.
    :meth:`counts` is written to the log and to the journal.
    """

    entry: Entry
    state: BatchState
    files: list[Path]
    answered: int = 0
    duplicates: int = 0
    malformed: int = 0
    foreign: int = 0
    errors: dict[str, ProviderError] = field(default_factory=dict)
    unasked: list[dict[str, Any]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return the number of lines of each kind."""
        return {
            "answered": self.answered,
            "errors": len(self.errors),
            "duplicates": self.duplicates,
            "malformed": self.malformed,
            "foreign": self.foreign,
            "unasked": len(self.unasked),
        }

    def answers(self, client: Client) -> Iterator[tuple[str, Answer, dict[str, Any]]]:
        """Yield key, answer and line of the first answer to each key of the batch; count all other lines.

        If a key has both an answer and an error, the answer counts, because it is paid for.
        """
        keys, seen, answered = frozenset(self.entry.keys), set[str](), set[str]()
        for text in (text for path in self.files for text in _lines(path)):
            try:
                line = parse_json(text)
                key, result = client.read_line(line)
                ours = key in keys
            except (ProviderError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
                # A line that the client cannot read counts as missing.
                self.malformed += 1
                continue
            if not ours:
                self.foreign += 1
                continue
            self.duplicates += key in seen
            seen.add(key)
            if isinstance(result, ProviderError):
                self.errors.setdefault(key, result)
            elif key not in answered:
                answered.add(key)
                yield key, result, line
        for key in answered:
            self.errors.pop(key, None)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from (line for line in stream if line.strip())


class Transport:
    """Submits and downloads batches; ``requests`` are the requests that its batches may contain."""

    def __init__(self, client: Client, spec: HostedLlm, journal: Journal, requests: Mapping[str, Request]) -> None:
        self._client, self._spec, self._journal, self._requests = client, spec, journal, requests
        self._uploads = asyncio.Semaphore(UPLOADS)

    async def find(self, entry: Entry) -> Entry | None:
        """Return the entry with its batch id, or None if the batch was never submitted."""
        if entry.state == "submitted":
            return entry
        batch_id = await call_with_retries(lambda: self._client.find_batch(entry.name), self._spec.limits)
        return None if batch_id is None else self._named(entry, batch_id)

    async def carry(self, entry: Entry, wait_s: float) -> Ended:
        """Submit a batch if necessary, wait until it has ended, and download its result files."""
        if entry.state == "intended":
            await asyncio.sleep(wait_s)
            entry = await self._submit(entry)
        try:
            return await self._follow(entry)
        except ProviderError as error:
            raise ProviderError(
                f"batch {entry.batch_id}: {error}; run again to resume it, or remove {self._journal.path(entry)} if "
                "the provider has deleted it"
            ) from error

    async def _submit(self, entry: Entry) -> Entry:
        """Submit a batch; before a retry, check whether the failed attempt reached the provider."""
        file, tried = self._journal.input_file(entry), False

        async def submit() -> str:
            nonlocal tried
            if tried and (found := await self._client.find_batch(entry.name)):
                return found
            tried = True
            return await self._client.submit_batch(file, entry.name)

        async with self._uploads:
            with disk_errors(file), atomic_text(file) as stream:
                stream.writelines(_line(self._client, key, self._requests[key]) for key in entry.keys)
            try:
                batch_id = await call_with_retries(submit, self._spec.limits)
            except ProviderError as error:
                raise ProviderError(f"{len(entry.keys)} requests were not submitted: {error}; run again") from error
        named = self._named(entry, batch_id)
        file.unlink()
        return named

    def _named(self, entry: Entry, batch_id: str) -> Entry:
        entry = replace(entry, state="submitted", batch_id=batch_id)
        self._journal.write(entry)
        log.info("batch %s (%s): %d requests submitted, round %d", batch_id, entry.name, len(entry.keys), entry.round)
        return entry

    async def _follow(self, entry: Entry) -> Ended:
        client, limits = self._client, self._spec.limits
        while (state := await call_with_retries(lambda: client.poll_batch(entry.batch_id), limits)).state == "running":
            await asyncio.sleep(self._spec.batch.poll_s)
        try:
            files = await self._download(entry)
            if any(map(_is_cut, files)):
                # A second download is free; missing answers would be paid for again.
                log.warning("batch %s: the result file ends within a line; downloading it again", entry.batch_id)
                files = await self._download(entry)
        except ProviderError as error:
            if state.state == "done" or isinstance(error, TransientError):
                raise
            files = []  # A failed batch may have no result files.
        return Ended(entry, state, files)

    async def _download(self, entry: Entry) -> list[Path]:
        async def download() -> list[Path]:
            folder = self._journal.results(entry)
            with disk_errors(folder):
                return await self._client.download_batch(entry.batch_id, folder)

        return await call_with_retries(download, self._spec.limits)


def _is_cut(path: Path) -> bool:
    """Return whether the last line of a file has no line end."""
    with path.open("rb") as stream:
        if not stream.seek(0, 2):
            return False
        stream.seek(-1, 2)
        return stream.read() != b"\n"
