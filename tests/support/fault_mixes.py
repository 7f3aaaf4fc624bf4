"""Random mixes of faults of a provider, live and in batches, through client, limits, budget and store."""

import random
from collections import Counter
from functools import partial
from itertools import islice

import pytest
from batch_provider import FakeProvider, answer_line, error_line
from batch_provider import spec as batch_spec
from provider_specs import openai_spec, request

from synthrank.errors import ProviderError, SpendError, TransientError
from synthrank.llms.base import Answer
from synthrank.llms.hosted import Hosted, identity
from synthrank.llms.store.cached_llm import StoredLlm
from synthrank.llms.store.pricing import most_usd
from synthrank.llms.store.store import BATCHES, ReplyStore, spent_usd

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


def stored_llm(spec, client, store, limit):
    """Return a hosted LLM behind a store, as :func:`synthrank.llms.open_stored` makes it."""
    return StoredLlm(
        lambda budget: Hosted(spec, client, store.folder / BATCHES, budget),
        identity(spec),
        store,
        spec,
        limit_usd=limit,
        spent_usd=lambda: spent_usd(store.folder.parent),
    )


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
    folder = folder / "store"
    with ReplyStore(folder / "model") as store:
        model = stored_llm(spec, client, store, limit)
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
        summary, spent = store.summary(), spent_usd(folder)
    assert set(client.answered.values()) <= {1}, "no request is answered twice"
    assert max(client.billed.values(), default=0) <= ATTEMPTS
    assert (summary.replies, summary.duplicates) == (len(client.answered), 0)
    if limit is not None:
        assert spent <= limit
        failed = client.billed - client.answered
        lost = sum(failed[item.query] * most_usd(spec, item) for item in requests)
        assert spent == pytest.approx(lost + sum(held.usd for held in summary.models.values())), "all is counted"
    left = [item.query_id for item in requests if item.query not in client.answered]
    words = ("rejected", "refused", "budget_usd", "no answer", "lost", "unreadable", "failed", "no connection")
    assert not left or any(word in str(error) for word in words)
    return client


def check_batch_seed(seed, folder):
    """Send requests in batches with random faults, stops and budgets; check what is answered, named and paid."""
    numbers = random.Random(seed)
    spec = batch_spec(lines=numbers.randint(1, 5), attempts=ATTEMPTS)
    requests = [request(f"question {place}") for place in range(numbers.randint(1, 12))]
    most = max(most_usd(spec, item) for item in requests)
    limit = numbers.choice((None, 14 * most * numbers.random()))
    folder = folder / "store"

    def outcome(number, keys, asks):
        assert limit is None or spent_usd(folder) + len(keys) * most_usd(spec, requests[0]) <= limit * 1.05
        state = numbers.choices(("done", "failed", "expired", "cancelled"), (8, 1, 2, 1))[0]
        return state, [line for key in keys for line in _lines(numbers, key)], numbers.choice(("", "no room"))

    calls = ("submit", "find", "poll", "download")
    slow, lost = TransientError("too many requests", "rate"), TransientError("lost", "lost")
    faults = {call: numbers.choices((None, slow, lost, ("late", lost)), (12, 1, 1, 1), k=60) for call in calls}
    faults["find"] = [None if isinstance(fault, tuple) else fault for fault in faults["find"]]
    provider = FakeProvider(outcome, polls=numbers.randint(1, 3), **faults)
    with ReplyStore(folder / "model") as store:
        model = stored_llm(spec, provider, store, limit)
        known: set[str] = set()
        for _ in range(40):
            stop, error, got = numbers.choice((None, None, numbers.randint(0, 6))), None, []
            try:
                got.extend(islice(model.generate(requests), stop))
            except (ProviderError, SpendError) as problem:
                error = problem
            names = [reply.query for reply in got]
            assert len(names) == len(set(names))
            if stop is None:
                assert known <= set(names), "no answer is lost"
                known |= set(names)
                if error is None:
                    assert len(names) == len(requests)
                    break
                assert str(error)
        summary = store.summary()
    assert provider.twice == [], "no answered request is submitted again, and none is in two open batches"
    assert summary.duplicates == 0
    assert limit is None or spent_usd(folder) <= limit
    return len(known) == len(requests)


def _lines(numbers, key):
    """Return the lines of a result file for one request."""
    found = {
        "answer": [answer_line(key)],
        "twice": [answer_line(key), answer_line(key, "another")],
        "transient": [error_line(key, "transient")],
        "refused": [error_line(key, "permanent")],
        "missing": [],
        "cut": [answer_line(key)[:20]],
    }
    return found[numbers.choices(list(found), (12, 1, 2, 1, 2, 1))[0]]
