"""Random mixes of faults of a provider, live, through client, limits, budget and store."""

import random
from collections import Counter
from functools import partial

from provider_specs import openai_spec, request

from synthrank.errors import ProviderError, SpendError, TransientError
from synthrank.llms.base import Answer
from synthrank.llms.hosted import Hosted, identity
from synthrank.llms.store.cached_llm import StoredLlm
from synthrank.llms.store.pricing import most_usd
from synthrank.llms.store.store import ReplyStore

FAULTS = {
    "server": partial(TransientError, "the server failed", "server"),
    "connection": partial(TransientError, "no connection", "connection"),
    "lost": partial(TransientError, "lost", "lost"),
    "timeout": partial(TransientError, "no answer", "timeout"),
    "malformed": partial(TransientError, "unreadable", "malformed"),
    "refused": partial(ProviderError, "refused", of_request=True),
    "key": partial(ProviderError, "the key is rejected"),
}
ATTEMPTS = 3


def check_seed(seed, folder):
    """Check the mix of faults and the budget of a random seed."""
    numbers = random.Random(seed)
    faults = [numbers.choices(sorted(FAULTS), k=numbers.choice((0, 0, 1, 2, 6))) for _ in range(numbers.randint(1, 12))]
    check_mix(faults, folder, numbers.choice((None, 12 * numbers.random())))


class Faulty:
    """A client that fails by script and counts attempts and answers per request."""

    def __init__(self, faults):
        self.left = {f"question {place}": list(each) for place, each in enumerate(faults)}
        self.answered, self.billed = Counter(), Counter()

    async def ask(self, asked):
        left = self.left[asked.query]
        fault = left.pop(0) if left else ""
        self.billed[asked.query] += fault in ("lost", "timeout", "malformed", "")
        if fault:
            raise FAULTS[fault]()
        self.answered[asked.query] += 1
        return Answer(f"about {asked.query}", "stop", "m", tokens_in=10, tokens_out=10)

    async def close(self):
        pass


def check_mix(faults, folder, limit=None):
    """Run the same requests until nothing changes; check that each is answered once or named, and what was paid."""
    spec = openai_spec("http://localhost", limits={"concurrency": 3, "attempts": ATTEMPTS, "longest_wait_s": 0.001})
    client, requests = Faulty(faults), [request(f"question {place}") for place in range(len(faults))]
    limit = None if limit is None else limit * most_usd(spec, requests[0])
    with ReplyStore(folder / "store") as store:

        def backend(budget):
            return Hosted(spec, client, folder, guard=budget.guard, check=budget.check, reserve=budget.reserve)

        model = StoredLlm(backend, identity(spec), store, spec, limit_usd=limit, spent_usd=store.spent_usd)
        for _ in range(len(faults) * 7):
            got, error = [], None
            try:
                got.extend(model.generate(requests))
            except (ProviderError, SpendError) as problem:
                error = problem
            assert {reply.query for reply in got} == set(client.answered), "no answer is lost"
            assert len(got) == len({reply.query for reply in got})
            if error is None:
                assert len(got) == len(requests)
                break
        summary = store.summary()
    assert set(client.answered.values()) <= {1}, "no request is answered twice"
    assert max(client.billed.values(), default=0) <= ATTEMPTS
    assert (summary.replies, summary.duplicates) == (len(client.answered), 0)
    if limit is not None:
        assert sum(held.usd for held in summary.models.values()) <= limit
    left = [item.query_id for item in requests if item.query not in client.answered]
    words = ("rejected", "refused", "budget_usd", "no answer", "lost", "unreadable", "failed", "no connection")
    assert not left or any(word in str(error) for word in words)
