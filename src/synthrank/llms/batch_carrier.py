"""One batch on its way: submitted once, followed until it ends, downloaded; whatever passes is waited out."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import BatchState, Client
from synthrank.llms.batch_journal import Entry, Journal, told
from synthrank.llms.batch_lines import write_lines
from synthrank.llms.patience import patiently
from synthrank.records import Request
from synthrank.specs.llms import HostedLlm

UPLOADS = 2
"""Batches submitted at the same moment: an input file of 200 MB is held in memory by some clients."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """A batch that has ended: how, and the files that it left."""

    entry: Entry
    state: BatchState
    files: list[Path]


class Carrier:
    """Carries batches to the provider and back; ``requests`` are those whose lines it may have to write."""

    def __init__(self, client: Client, spec: HostedLlm, journal: Journal, requests: Mapping[str, Request]) -> None:
        self._client, self._spec, self._journal, self._requests = client, spec, journal, requests
        self._uploads = asyncio.Semaphore(UPLOADS)

    async def found(self, entry: Entry) -> Entry | None:
        """Return the entry with its id, or None where it was never submitted."""
        if entry.state == "submitted":
            return entry
        batch_id = await patiently(lambda: self._client.find_batch(entry.name), self._spec.limits)
        return None if batch_id is None else self._named(entry, batch_id)

    def _named(self, entry: Entry, batch_id: str) -> Entry:
        entry = replace(entry, state="submitted", batch_id=batch_id)
        self._journal.write(entry)
        log.info("batch %s (%s): %d requests submitted, round %d", batch_id, entry.name, len(entry.keys), entry.round)
        return entry

    async def carry(self, entry: Entry, wait_s: float) -> Ended:
        """Submit a batch unless it is, wait until it has ended, and download what it has."""
        if entry.state == "intended":
            await asyncio.sleep(wait_s)
            entry = await self._submitted(entry)
        try:
            return await self._followed(entry)
        except ProviderError as error:
            raise ProviderError(
                f"batch {entry.batch_id}: {error}; run again to go on with it, or remove {self._journal.path(entry)} "
                "if the provider no longer has it"
            ) from error

    async def _submitted(self, entry: Entry) -> Entry:
        """Submit a batch; where a first try may have arrived although it failed, look before the next."""
        client, file, tried = self._client, self._journal.input_file(entry), False

        async def submit() -> str:
            nonlocal tried
            if tried and (found := await client.find_batch(entry.name)):
                return found
            tried = True
            return await client.submit_batch(file, entry.name)

        async with self._uploads:
            with told(file):
                write_lines(client, file, entry.keys, self._requests)
            try:
                entry = self._named(entry, await patiently(submit, self._spec.limits))
            except ProviderError as error:
                raise ProviderError(f"{len(entry.keys)} requests were not submitted: {error}; run again") from error
        file.unlink()
        return entry

    async def _followed(self, entry: Entry) -> Ended:
        client, limits = self._client, self._spec.limits
        while (state := await patiently(lambda: client.poll_batch(entry.batch_id), limits)).state == "running":
            await asyncio.sleep(self._spec.batch.poll_s)
        try:
            files = await self._downloaded(entry)
            if any(map(_is_cut, files)):
                # What is missing would be paid again, a second download costs nothing.
                log.warning("batch %s: its result file ends within a line; downloaded once more", entry.batch_id)
                files = await self._downloaded(entry)
        except ProviderError as error:
            if state.state == "done" or isinstance(error, TransientError):
                raise
            files = []  # A batch that failed as a whole has nothing to download.
        return Ended(entry, state, files)

    async def _downloaded(self, entry: Entry) -> list[Path]:
        async def download() -> list[Path]:
            folder = self._journal.results(entry)
            with told(folder):
                return await self._client.download_batch(entry.batch_id, folder)

        return await patiently(download, self._spec.limits)


def _is_cut(path: Path) -> bool:
    """Return whether a file has a last line without its end."""
    with path.open("rb") as stream:
        if not stream.seek(0, 2):
            return False
        stream.seek(-1, 2)
        return stream.read() != b"\n"
