"""Which batches to submit, what to take from them, and what becomes of the requests that they leave open."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from synthrank.errors import ProviderError, SpendError, TransientError
from synthrank.llms.base import Answer, Client
from synthrank.llms.batch_carrier import Carrier, Ended
from synthrank.llms.batch_journal import Entry, Journal
from synthrank.llms.batch_lines import Outcome, read_lines, split
from synthrank.records import Request
from synthrank.specs.llms import HostedLlm

log = logging.getLogger(__name__)
Item = tuple[str, Request, Answer]


@dataclass(slots=True)
class _Failures:
    """What went wrong for good, for one line at the end."""

    refused: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)

    def line(self) -> str:
        parts = []
        if self.refused:
            parts.append(f"{len(self.refused)} requests refused for good, the first {self.refused[0]}")
        if self.unanswered:
            parts.append(f"{len(self.unanswered)} requests unanswered, the first {self.unanswered[0]}; run again")
        return "; ".join([*parts, *self.batches])


class Engine:
    """The state of one call of :func:`synthrank.llms.batch.batch_answers`."""

    def __init__(
        self,
        client: Client,
        spec: HostedLlm,
        requests: Mapping[str, Request],
        folder: Path,
        before_submit: Callable[[Mapping[str, Request]], None] | None,
        resumed: Callable[[Mapping[str, Request]], None] | None = None,
    ) -> None:
        self._client, self._spec, self._before_submit, self._resumed = client, spec, before_submit, resumed
        self._asked = frozenset(requests)
        self._waiting = dict(requests)
        self._journal = Journal(folder)
        self._tasks: set[asyncio.Task[Ended]] = set()
        self._ended: list[Ended] = []
        self._held: list[tuple[Ended, Outcome, list[str]]] = []
        self._done = 0
        self._done_before: dict[str, int] = {}
        self._carrier = Carrier(client, spec, self._journal, self._waiting)
        self._failures = _Failures()
        self._spent: SpendError | None = None

    def kept(self) -> Iterator[Item]:
        """Yield the answers that an earlier process was given without having asked for them."""
        for line in self._journal.kept(self._waiting):
            key, said = self._client.read_line(line)
            if isinstance(said, Answer) and key in self._waiting:
                yield key, self._waiting.pop(key), said

    async def begin(self) -> None:
        """Go on with the open batches of earlier processes, and submit the requests that are in none of them."""
        covered: set[str] = set()
        idle = []
        for entry in self._journal.open_entries():
            if self._asked.isdisjoint(entry.keys):
                idle.append(entry)
                continue
            covered.update(entry.keys)
            try:
                found = await self._carrier.found(entry)
            except ProviderError as error:
                self._failures.batches.append(
                    f"whether batch {entry.name} was submitted is unknown: {error}; run again"
                )
                continue
            if found is None:
                covered.difference_update(entry.keys)
                self._journal.forget(entry)
            else:
                self._start(found)
        if idle:
            names = ", ".join(entry.batch_id or entry.name for entry in idle)
            log.warning(
                "%d open batches hold none of these requests; left alone until one is asked again: %s", len(idle), names
            )
        if self._resumed is not None:
            self._resumed({key: request for key, request in self._waiting.items() if key in covered})
        self._submit([key for key in self._waiting if key not in covered], 1)

    def _submit(self, keys: Iterable[str], round_: int, wait_s: float = 0.0) -> None:
        """Start a task for each batch of the keys, as long as the money lasts."""
        for batch in split(self._client, self._spec.batch, keys, self._waiting):
            if self._spent is not None:
                return
            try:
                if self._before_submit is not None:
                    self._before_submit({key: self._waiting[key] for key in batch})
            except SpendError as error:
                self._spent = error
                return
            self._start(self._journal.new(batch, round_), wait_s)

    def _start(self, entry: Entry, wait_s: float = 0.0) -> None:
        self._done_before[entry.name] = self._done
        self._tasks.add(asyncio.create_task(self._carrier.carry(entry, wait_s)))

    async def ended(self) -> Ended | None:
        """Return the next batch that has ended, None when there is none left; note those that cannot be followed."""
        while not self._ended:
            if not self._tasks:
                if not self._held:
                    return None
                self._again(*self._held.pop(0))
                continue
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._tasks.discard(task)
                try:
                    self._ended.append(task.result())
                except ProviderError as error:
                    self._failures.batches.append(str(error))
        return self._ended.pop(0)

    def take(self, ended: Ended, outcome: Outcome) -> Iterator[Item]:
        """Yield the answers of a batch that somebody waits for, and count the others."""
        for key, answer, line in read_lines(self._client, ended.files, frozenset(ended.entry.keys), outcome):
            request = self._waiting.pop(key, None)
            if request is not None:
                outcome.answered += 1
                yield key, request, answer
            elif key not in self._asked:
                outcome.unasked.append({"key": key, "line": line})

    def settle(self, ended: Ended, outcome: Outcome) -> None:
        """Close a batch whose answers were all taken, and see to the requests that it left open."""
        entry, state = ended.entry, ended.state
        counts = outcome.counts()
        log.info(
            "batch %s: %s, %s", entry.batch_id, state.state, ", ".join(f"{n} {what}" for what, n in counts.items())
        )
        if outcome.unasked:
            self._journal.keep(entry, outcome.unasked)
        self._journal.close(entry, {"state": state.state, **counts})
        self._done += state.state == "done"
        again = []
        for key in (key for key in entry.keys if key in self._waiting):
            error = outcome.errors.get(key)
            if error is None or isinstance(error, TransientError):
                again.append(key)
            else:
                self._failures.refused.append(f"query {self._waiting[key].query_id}: {error}")
        if again:
            self._again(ended, outcome, again)
        if state.state == "done":
            held, self._held = self._held, []
            for earlier, _, keys in held:
                self._submit(keys, earlier.entry.round)

    def _again(self, ended: Ended, outcome: Outcome, keys: list[str]) -> None:
        """Submit the keys that a batch left open once more, now or later, or note that they stay so."""
        entry, state = ended.entry, ended.state
        limits, poll_s = self._spec.limits, self._spec.batch.poll_s
        if state.state == "cancelled":
            self._failures.batches.append(
                f"batch {entry.batch_id} was cancelled at the provider with {len(keys)} requests unanswered; run again "
                "to submit them"
            )
        elif state.state == "failed" and not outcome.answered and self._done_before[entry.name] < self._done:
            # Often the provider's limit on enqueued tokens, and since then another batch has made room.
            self._submit(keys, entry.round)
        elif state.state == "failed" and not outcome.answered and self._tasks:
            self._held.append((ended, outcome, keys))  # there is room when another batch is done
        elif entry.round < limits.attempts:
            self._submit(keys, entry.round + 1, min(poll_s * 2 ** (entry.round - 1), limits.longest_wait_s))
        else:
            why = outcome.errors.get(keys[0]) or state.error or "its line is missing"
            query = self._waiting[keys[0]].query_id
            self._failures.unanswered.extend([f"query {query} after {entry.round} rounds: {why}"] * len(keys))

    async def stop(self) -> None:
        """End what still runs; the journal has what is needed to go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def judge(self) -> None:
        """Raise what went wrong for good, if something did."""
        failures = self._failures.line()
        if self._spent is not None:
            if failures:
                log.warning("%s: %s", self._spec.model, failures)
            raise self._spent
        if failures:
            raise ProviderError(f"{self._spec.model}: {failures}")
