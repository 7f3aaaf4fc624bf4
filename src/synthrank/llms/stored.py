"""A language model that is asked only what it was never asked before."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from synthrank.errors import SpendError
from synthrank.llms.base import Llm, gives_no_scores, request_key
from synthrank.llms.pricing import cost_usd, most_usd
from synthrank.llms.store import ReplyStore
from synthrank.records import Message, Reply, Request
from synthrank.specs.llms import GeminiLlm, LlmSpec, OpenAiLlm

log = logging.getLogger(__name__)


class Budget:
    """The money that all replies of a store may have cost together."""

    def __init__(self, limit_usd: float | None, spent_usd: float, spec: LlmSpec) -> None:
        """Begin with what is spent.

        Args:
            limit_usd: the most that may be spent; none for no limit.
            spent_usd: what the replies in the store have cost.
            spec: the LLM, for what one request can cost at most.
        """
        self.limit, self.spent, self._spec = limit_usd, spent_usd, spec
        self._reserved: dict[str, float] = {}
        self.stopped = False

    def guard(self, requests: Mapping[str, Request]) -> Iterator[Request]:
        """Yield requests until the next one could exceed the limit, counting those in flight at their most."""
        for key, request in requests.items():
            if not self._fits({key: request}):
                self.stopped = True
                return
            self._reserved[key] = most_usd(self._spec, request)
            yield request

    def check(self, requests: Mapping[str, Request]) -> None:
        """Raise SpendError unless all of the requests fit: before a batch is submitted."""
        if not self._fits(requests):
            raise SpendError(self.message())
        self.reserve(requests)

    def reserve(self, requests: Mapping[str, Request]) -> None:
        """Count requests at their most: those of a batch that is open already, whatever the limit says."""
        self._reserved |= {key: most_usd(self._spec, request) for key, request in requests.items()}

    def paid(self, reply: Reply) -> None:
        """Count what a reply has cost in place of what it could have."""
        self._reserved.pop(reply.key, None)
        self.spent += reply.price_usd

    def message(self) -> str:
        """Return the one line that says what is spent and what would be right."""
        return (
            f"budget_usd: ${self.spent:.4f} of ${self.limit or 0:.2f} is spent and the next request could exceed it; "
            "every reply so far is kept: raise budget_usd and run again"
        )

    def _fits(self, requests: Mapping[str, Request]) -> bool:
        if self.limit is None:
            return True
        # A request that is asked again is reserved already.
        wanted = sum(most_usd(self._spec, item) for key, item in requests.items() if key not in self._reserved)
        return self.spent + sum(self._reserved.values()) + wanted <= self.limit


class StoredLlm:
    """Answers from the store, asks the model the rest, and stores each reply before the next one is awaited."""

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
        """Prepare; the model is opened only if something is asked that the store does not have.

        Args:
            open_backend: opens the model.
            identity: what determines its answers, beside the request.
            store: the replies so far.
            spec: the entity, for what requests cost.
            limit_usd: the most that may be spent; none for no limit.
            spent_usd: tells what is spent so far, by all models.
        """
        self._open, self._identity, self._store = open_backend, identity, store
        self._spec, self._limit, self._spent = spec, limit_usd, spent_usd

    def generate(self, requests: Sequence[Request]) -> Iterator[Reply]:
        """Yield one reply a request, those of the store first; requests that ask the same are asked once.

        Raises:
            SpendError: the budget does not allow a further request; all replies so far are kept.
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
            yield from _for_each(reply, askers[key])
        if missing:
            for reply in self._asked(missing):
                yield from _for_each(reply, askers[reply.key])

    def score(self, pairs: Sequence[tuple[tuple[Message, ...], str]]) -> list[float]:
        """Return log-probabilities; they cost nothing but time and are not stored.

        Raises:
            ModelError: the model is hosted; it is not opened, and its key not looked for.
        """
        if isinstance(self._spec, OpenAiLlm | GeminiLlm):
            raise gives_no_scores(self._spec.model)
        return self._open(Budget(None, 0.0, self._spec)).score(pairs)

    def _asked(self, missing: Mapping[str, Request]) -> Iterator[Reply]:
        budget = Budget(self._limit, self._spent() if self._limit is not None else 0.0, self._spec)
        backend = self._open(budget)
        keys = {(item.query_id, item.sample): key for key, item in missing.items()}
        for reply in backend.generate(list(missing.values())):
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


def _for_each(reply: Reply, requests: Sequence[Request]) -> Iterator[Reply]:
    """Yield the reply once for each request that asked the same, under that request's own name."""
    return (replace(reply, query_id=item.query_id, query=item.query, sample=item.sample) for item in requests)
