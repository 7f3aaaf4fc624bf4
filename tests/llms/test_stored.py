"""Behind the store: what was asked is not asked again, each reply is kept as it comes, and money is a hard stop."""

import logging

import pytest
from provider_specs import gemini_spec, openai_spec

from synthrank import llms
from synthrank.errors import ModelError, ProviderError, SpendError
from synthrank.llms.base import request_key
from synthrank.llms.pricing import cost_usd, most_usd, prompt_tokens, reply_tokens
from synthrank.llms.store import ReplyStore
from synthrank.llms.stored import Budget, StoredLlm
from synthrank.records import Message, Reply, Request
from synthrank.specs.llms import EchoLlm

SPEC = openai_spec("http://localhost")
IDENTITY = {"backend": "openai", "model": "m", "sampling": {"temperature": 0.0}}


def request(name, text="why?", sample=0):
    return Request(name, text, (Message("user", text),), (), sample)


class Backend:
    """Answers what the budget lets through, and fails after some answers if told to."""

    def __init__(self, budget, price=0.0, fail_after=None):
        self.budget, self.price, self.fail_after, self.asked = budget, price, fail_after, []

    def generate(self, requests):
        keyed = {request_key(IDENTITY, item): item for item in requests}
        for place, item in enumerate(self.budget.guard(keyed)):
            if place == self.fail_after:
                raise ProviderError("gone")
            self.asked.append(item.query_id)
            yield Reply(item.query_id, item.query, item.sample, f"about {item.query}", "stop", 5, 7, "m", {},
                        item.messages, price_usd=self.price)  # fmt: skip

    def score(self, pairs):
        return [-1.0] * len(pairs)


@pytest.fixture
def stored(tmp_path):
    """Return a maker of stored models over one store, and the backends that were opened."""
    opened = []

    def make(limit=None, **how):
        def backend(budget):
            opened.append(Backend(budget, **how))
            return opened[-1]

        store = ReplyStore(tmp_path / "store")
        return StoredLlm(backend, IDENTITY, store, SPEC, limit_usd=limit, spent_usd=store.spent_usd)

    make.opened = opened
    return make


def test_what_was_asked_is_not_asked_again(stored):
    first = list(stored().generate([request("a", "one"), request("b", "two")]))
    again = list(stored().generate([request("x", "two"), request("y", "three"), request("a", "one", sample=1)]))
    assert [reply.query_id for reply in first] == ["a", "b"]
    assert stored.opened[1].asked == ["y", "a"]
    assert {(reply.query_id, reply.sample): reply.text for reply in again} == {
        ("x", 0): "about two", ("y", 0): "about three", ("a", 1): "about one",
    }  # fmt: skip
    assert all(len(reply.key) == 64 and reply.time for reply in first)


def test_nothing_is_opened_where_the_store_has_all(stored):
    list(stored().generate([request("a")]))
    assert [reply.query_id for reply in stored().generate([request("b")])] == ["b"]
    assert len(stored.opened) == 1


def test_the_same_question_of_two_queries_is_asked_once(stored):
    replies = list(stored().generate([request("a"), request("b"), request("c", "else")]))
    assert stored.opened[0].asked == ["a", "c"]
    assert sorted(reply.query_id for reply in replies) == ["a", "b", "c"]


def test_what_came_before_a_failure_is_kept(stored):
    asked = [request(name, name) for name in "abcd"]
    with pytest.raises(ProviderError):
        list(stored(fail_after=2).generate(asked))
    list(stored().generate(asked))
    assert stored.opened[1].asked == ["c", "d"]


def test_the_log_says_what_is_new_and_what_it_costs(stored, caplog):
    list(stored().generate([request("a", "one")]))
    with caplog.at_level(logging.INFO):
        list(stored().generate([request("a", "one"), request("b", "two")]))
    assert "1 of 2 requests new, 1 from the store, est. $0.00" in caplog.text


def test_a_budget_is_a_hard_stop_and_goes_on_when_raised(stored):
    asked = [request(str(place), f"question {place}") for place in range(10)]
    most = most_usd(SPEC, asked[0])
    with pytest.raises(SpendError, match=r"budget_usd: \$.* is kept: raise budget_usd and run again"):
        list(stored(limit=4.5 * most, price=most).generate(asked))
    assert len(stored.opened[0].asked) == 4
    list(stored(limit=11 * most, price=most).generate(asked))
    assert len(stored.opened[1].asked) == 6


def test_a_budget_of_nothing_sends_nothing(stored):
    with pytest.raises(SpendError):
        list(stored(limit=0.0).generate([request("a")]))
    assert stored.opened[0].asked == []


def test_requests_in_flight_count_at_their_most():
    spec = SPEC
    asked = {str(place): request(str(place)) for place in range(5)}
    most = most_usd(spec, asked["0"])
    budget = Budget(3.5 * most, 0.0, spec)
    assert [item.query_id for item in budget.guard(asked)] == ["0", "1", "2"]
    assert budget.stopped
    budget.check({"2": asked["2"]})  # asked again: reserved already
    with pytest.raises(SpendError):
        budget.check({"4": asked["4"]})


def test_estimates():
    spec = SPEC
    item = Request("a", "", (Message("system", "x" * 40), Message("user", "y" * 60)))
    assert prompt_tokens(item) == 100 / 4 + 2 * 4
    price, written = spec.price, reply_tokens(spec)
    assert cost_usd(spec, [item, item]) == pytest.approx(2 * (33 * price.input + written * price.output) / 1e6)
    assert most_usd(spec, item) > cost_usd(spec, [item])


def test_batches_that_are_open_already_count():
    asked = {str(place): request(str(place)) for place in range(3)}
    budget = Budget(2.5 * most_usd(SPEC, asked["0"]), 0.0, SPEC)
    budget.reserve({"0": asked["0"], "1": asked["1"]})
    with pytest.raises(SpendError):
        budget.check({"2": asked["2"]})


def test_a_model_that_thinks_as_it_likes_is_reserved_for_the_most():
    item = request("a")
    free = most_usd(gemini_spec("http://localhost", thinking_budget=-1), item)
    none = most_usd(gemini_spec("http://localhost", thinking_budget=0), item)
    assert free - none == pytest.approx(32_768 * 1.6 / 1e6)


def test_a_hosted_model_that_should_score_is_never_opened(stored):
    with pytest.raises(ModelError, match=r"gpt-4\.1-mini: a hosted model does not .* listwise, or setwise or pairwise"):
        stored().score([((Message("user", "why?"),), "so")])
    assert stored.opened == []


def test_a_model_in_the_process_is_loaded_once(tmp_path, monkeypatch):
    opened = []
    open_llm = llms.open_llm
    monkeypatch.setattr(llms, "open_llm", lambda *how, **named: opened.append(how) or open_llm(*how, **named))
    stored = llms.open_stored(EchoLlm(backend="echo"))
    assert opened == []
    for place in range(3):
        assert len(list(stored.generate([request("a", f"text {place}")]))) == 1
        stored.score([((Message("user", "why?"),), "so")])
    assert len(opened) == 1
