"""A language model with the store of replies in front of it."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from synthrank.config.llms import GeminiLlm, LlmSpec, OpenAiLlm
from synthrank.data.records import Message, Reply, Request
from synthrank.errors import SpendError
from synthrank.llms.base import Llm, gives_no_scores, request_key
from synthrank.llms.store.budget import Budget
from synthrank.llms.store.claims import claim
from synthrank.llms.store.pricing import cost_usd
from synthrank.llms.store.store import ReplyStore

log = logging.getLogger(__name__)

WAIT_S = 1.0
"""Seconds between two looks at the claims of other processes."""

BYTES_PER_CHARACTER = 2
BYTES_PER_TOKEN = 8
"""Sizes of prompts and replies as stored, above those of European languages."""


class StoredLlm:
    """Returns stored replies, sends the other requests to the model, and stores each reply before the next one."""

    def __init__(
        self,
        open_backend: Callable[[Budget], Llm],
        identity: Mapping[str, object],
        store: ReplyStore,
        spec: LlmSpec,
        *,
        limit_usd: float | None,
        spent_usd: Callable[[], float],
    ) -> None:
        """Prepare; the model is opened on the first request that is not stored.

        Args:
            open_backend: opens the model.
            identity: everything except the request that determines a reply.
            store: the stored replies.
            spec: the entity, for the price of requests.
            limit_usd: the most that may be spent; None for no limit.
            spent_usd: returns the amount spent so far on all models, by all processes.
        """
        self._open, self._identity, self._store = open_backend, identity, store
        self._spec, self._limit, self._spent = spec, limit_usd, spent_usd

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply per request, stored replies first; equal requests are sent once.

        Raises:
            SpendError: the next request could exceed the budget; all replies so far are kept.
        """
        askers: dict[str, list[Request]] = {}
        for request in requests:
            askers.setdefault(request_key(self._identity, request), []).append(request)
        found = self._store.find(askers)
        missing = {key: same[0] for key, same in askers.items() if key not in found}
        log.info(
            "%d of %d requests new, %d from the store, est. $%.2f",
            *(len(missing), len(askers), len(found), cost_usd(self._spec, missing.values())),
        )
        for key, reply in found.items():
            yield from _repeat_for_each(reply, askers[key])
        if missing:
            for reply in self._ask(missing):
                yield from _repeat_for_each(reply, askers[reply.key])

    def score(self, pairs: Sequence[tuple[tuple[Message, ...], str]]) -> list[float]:
        """Return log-probabilities. They are free and are not stored.

        Raises:
            ModelError: the model is hosted. Its client is not opened and its key not read.
        """
        if isinstance(self._spec, OpenAiLlm | GeminiLlm):
            raise gives_no_scores(self._spec.model)
        return self._open(Budget(None, self._spent, self._spec, self._store.folder.parent)).score(pairs)

    def _ask(self, missing: Mapping[str, Request]) -> Iterator[Reply]:
        """Yield the replies to requests that were not stored; those that another process sends, when it has them."""
        if not isinstance(self._spec, OpenAiLlm | GeminiLlm):
            yield from self._send(missing)
            return
        waiting, told = dict(missing), False
        while waiting:
            with claim(self._store.folder, waiting) as mine:
                for key, reply in self._store.find(waiting).items():
                    del waiting[key]
                    yield reply
                own = {key: request for key, request in waiting.items() if key in mine}
                if own:
                    yield from self._send(own)
            waiting = {key: request for key, request in waiting.items() if key not in own}
            if waiting:
                if not told:
                    log.info("another process sends %d of these requests; waiting for its replies", len(waiting))
                told = True
                time.sleep(WAIT_S)

    def _send(self, missing: Mapping[str, Request]) -> Iterator[Reply]:
        ready = partial(self._store.prepare, _room(self._spec, missing.values()))
        ready()
        keys = {(item.query_id, item.sample): key for key, item in missing.items()}
        with Budget(self._limit, self._spent, self._spec, self._store.folder.parent, ready) as budget:
            for reply in self._open(budget).generate(list(missing.values())):
                stored = replace(
                    reply,
                    key=keys[reply.query_id, reply.sample],
                    time=reply.time or datetime.now(UTC).isoformat(timespec="seconds"),
                )
                self._store.add(stored)
                budget.paid(stored)
                yield stored
            if budget.stopped:
                raise SpendError(budget.message())


def _room(spec: LlmSpec, requests: Iterable[Request]) -> int:
    """Return the bytes of the replies that may be in flight, at their largest size; 0 for a local model."""
    if not isinstance(spec, OpenAiLlm | GeminiLlm):
        return 0
    prompt = max(sum(len(message.content) for message in request.messages) for request in requests)
    return spec.limits.concurrency * (BYTES_PER_CHARACTER * prompt + BYTES_PER_TOKEN * spec.sampling.max_new_tokens)


def _repeat_for_each(reply: Reply, requests: Sequence[Request]) -> Iterator[Reply]:
    """Yield the reply once for each of several equal requests, with that request's query and sample number."""
    return (replace(reply, query_id=item.query_id, query=item.query, sample=item.sample) for item in requests)
