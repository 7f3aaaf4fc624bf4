"""The batch engine: submits batches to any provider's client, collects answers, and resubmits unanswered requests.

A batch is written to the journal before it is submitted, and again with its id. If the process is killed, the next run
resumes all open batches.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from pathlib import Path

from synthrank.config.llms import HostedLlm
from synthrank.data.records import Request
from synthrank.errors import ProviderError, SpendError, TransientError
from synthrank.llms.base import Answer, Client
from synthrank.llms.batch.journal import Entry, Journal
from synthrank.llms.batch.transport import Ended, Transport, split
from synthrank.runtime.progress import Progress

log = logging.getLogger(__name__)

Item = tuple[str, Request, Answer]
Callback = Callable[[Mapping[str, Request]], None]


def run_batches(
    client: Client,
    spec: HostedLlm,
    requests: Mapping[str, Request],
    folder: Path,
    before_submit: Callback | None = None,
    resumed: Callback | None = None,
) -> Iterator[Item]:
    """Yield the answers as :func:`batch_answers` does, on a separate event loop.

    All calls of the client run on this loop. The client is closed at the end.
    """
    answers = batch_answers(client, spec, requests, folder, before_submit, resumed)

    async def step() -> Item | None:
        return await anext(answers, None)

    with asyncio.Runner() as runner:
        try:
            while item := runner.run(step()):
                yield item
        finally:
            runner.run(answers.aclose())
            runner.run(client.close())


def batch_answers(
    client: Client,
    spec: HostedLlm,
    requests: Mapping[str, Request],
    folder: Path,
    before_submit: Callback | None = None,
    resumed: Callback | None = None,
) -> AsyncGenerator[Item, None]:
    """Yield (key, request, answer), batch by batch, as the batches end.

    A batch is closed when the consumer calls for the answer after its last one. The consumer must therefore store each
    answer before it calls for the next.

    Args:
        client: the provider's client.
        spec: the model: ``batch`` limits a batch, ``limits.attempts`` the attempts per call and per request.
        requests: the requests by key. Requests in an open batch of an earlier process are not submitted again.
        folder: folder of the journal.
        before_submit: called with the requests of each batch before it is submitted; may raise SpendError. The answers
            of batches already submitted are yielded before that error ends the iteration.
        resumed: called with the requests in open batches of an earlier process, before any submission.

    Raises:
        ProviderError: requests were refused or remain unanswered; raised after all answers were yielded.
        SpendError: raised by ``before_submit``; raised again after all answers were yielded.
        StoreError: the journal cannot be read or written.
    """
    return _Engine(client, spec, requests, folder, before_submit, resumed).answers()


class _Engine:
    """Submits batches, reads their answers, and resubmits or reports the requests they leave unanswered."""

    def __init__(
        self,
        client: Client,
        spec: HostedLlm,
        requests: Mapping[str, Request],
        folder: Path,
        before_submit: Callback | None,
        resumed: Callback | None,
    ) -> None:
        self._client, self._spec, self._before_submit, self._resumed = client, spec, before_submit, resumed
        self._asked = frozenset(requests)
        self._waiting = dict(requests)
        self._journal = Journal(folder)
        self._transport = Transport(client, spec, self._journal, self._waiting)
        self._tasks: set[asyncio.Task[Ended]] = set()
        self._ended: list[Ended] = []
        self._held: list[tuple[Ended, list[str]]] = []
        self._done = 0
        self._done_before: dict[str, int] = {}
        self._refused: list[str] = []
        self._unanswered: list[str] = []
        self._batch_errors: list[str] = []
        self._spent: SpendError | None = None

    async def answers(self) -> AsyncGenerator[Item, None]:
        """Yield as :func:`batch_answers` does."""
        with Progress(len(self._waiting), "requests") as progress:
            try:
                for line in self._journal.kept(self._waiting):
                    key, result = self._client.read_line(line)
                    if isinstance(result, Answer) and key in self._waiting:
                        yield key, self._waiting.pop(key), result
                        progress.advance()
                await self._begin()
                while ended := await self._next_ended():
                    for key, answer, line in ended.answers(self._client):
                        if request := self._waiting.pop(key, None):
                            ended.answered += 1
                            yield key, request, answer
                            progress.advance()
                        elif key not in self._asked:
                            ended.unasked.append({"key": key, "line": line})
                    self._settle(ended)
            finally:  # the journal has what a later run needs to resume
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        self._judge()

    async def _begin(self) -> None:
        """Resume the open batches of earlier processes, and submit the requests that are in no open batch."""
        covered: set[str] = set()
        idle = []
        for entry in self._journal.open_entries():
            if self._asked.isdisjoint(entry.keys):
                idle.append(entry.batch_id or entry.name)
                continue
            try:
                found = await self._transport.find(entry)
            except ProviderError as error:
                covered.update(entry.keys)
                self._batch_errors.append(f"whether batch {entry.name} was submitted is unknown: {error}; run again")
                continue
            if found is None:
                self._journal.forget(entry)
            else:
                covered.update(entry.keys)
                self._start(found)
        if idle:
            log.warning(
                "%d open batches contain no request of this job; they stay open until a job sends one of theirs: %s",
                len(idle),
                ", ".join(idle),
            )
        if self._resumed is not None:
            self._resumed({key: request for key, request in self._waiting.items() if key in covered})
        self._submit([key for key in self._waiting if key not in covered], 1)

    def _submit(self, keys: Iterable[str], round_: int, wait_s: float = 0.0) -> None:
        """Start a task for each batch of the keys, until the budget is used up."""
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
        self._tasks.add(asyncio.create_task(self._transport.carry(entry, wait_s)))

    async def _next_ended(self) -> Ended | None:
        """Return the next batch that has ended, or None at the end; record the errors of batches that failed."""
        while not self._ended:
            if not self._tasks:
                if not self._held:
                    return None
                self._again(*self._held.pop(0))
                continue
            done, self._tasks = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                try:
                    self._ended.append(task.result())
                except ProviderError as error:
                    self._batch_errors.append(str(error))
        return self._ended.pop(0)

    def _settle(self, ended: Ended) -> None:
        """Close a batch whose answers were all yielded; resubmit or record its unanswered requests."""
        entry, state, counts = ended.entry, ended.state.state, ended.counts()
        log.info("batch %s: %s, %s", entry.batch_id, state, ", ".join(f"{n} {what}" for what, n in counts.items()))
        if ended.unasked:
            self._journal.keep(entry, ended.unasked)
        self._journal.close(entry, {"state": state, **counts})
        self._done += state == "done"
        again = []
        for key in (key for key in entry.keys if key in self._waiting):
            error = ended.errors.get(key)
            if error is None or isinstance(error, TransientError):
                again.append(key)
            else:
                self._refused.append(f"query {self._waiting[key].query_id}: {error}")
        if again:
            self._again(ended, again)
        if state == "done":
            held, self._held = self._held, []
            for earlier, keys in held:
                self._submit(keys, earlier.entry.round)

    def _again(self, ended: Ended, keys: list[str]) -> None:
        """Submit the unanswered keys of a batch again, now or later, or record them as unanswered."""
        entry, limits = ended.entry, self._spec.limits
        refused = ended.state.state == "failed" and not ended.answered
        if ended.state.state == "cancelled":
            self._batch_errors.append(
                f"batch {entry.batch_id} was cancelled at the provider with {len(keys)} requests unanswered; run again "
                "to submit them"
            )
        elif refused and self._done_before[entry.name] < self._done:
            # The usual cause is the provider's limit on enqueued tokens, and another batch has ended since.
            self._submit(keys, entry.round)
        elif refused and self._tasks:
            self._held.append((ended, keys))  # submitted when another batch is done
        elif entry.round < limits.attempts:
            wait_s = self._spec.batch.poll_s * 2 ** (entry.round - 1)
            self._submit(keys, entry.round + 1, min(wait_s, limits.longest_wait_s))
        else:
            why = ended.errors.get(keys[0]) or ended.state.error or "its line is missing"
            query = self._waiting[keys[0]].query_id
            self._unanswered.extend([f"query {query} after {entry.round} rounds: {why}"] * len(keys))

    def _judge(self) -> None:
        """Raise the permanent failures, if there are any."""
        parts = []
        if self._refused:
            parts.append(f"{len(self._refused)} requests were refused; the first is {self._refused[0]}")
        if self._unanswered:
            first = self._unanswered[0]
            parts.append(f"{len(self._unanswered)} requests have no answer; the first is {first}; run again")
        failures = "; ".join([*parts, *self._batch_errors])
        if self._spent is not None:
            if failures:
                log.warning("%s: %s", self._spec.model, failures)
            raise self._spent
        if failures:
            raise ProviderError(f"{self._spec.model}: {failures}")
