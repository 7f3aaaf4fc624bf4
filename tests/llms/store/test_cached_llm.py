"""A language model behind the store: stored replies are reused, and the budget is a hard limit."""

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from provider_specs import gemini_spec, openai_spec
from small_disk import small_disk

from synthrank import llms
from synthrank.config.llms import EchoLlm
from synthrank.data.records import Message, Reply, Request
from synthrank.errors import ModelError, ProviderError, SpendError, StoreError
from synthrank.llms.base import Answer, request_key
from synthrank.llms.store import cached_llm
from synthrank.llms.store.budget import Budget
from synthrank.llms.store.cached_llm import StoredLlm
from synthrank.llms.store.claims import claim
from synthrank.llms.store.pricing import cost_usd, most_usd, price_usd, prompt_tokens, reply_tokens
from synthrank.llms.store.store import ReplyStore, spent_usd

SPEC = openai_spec("http://localhost")
IDENTITY = {"backend": "openai", "model": "m", "sampling": {"temperature": 0.0}}


def request(name, text="why?", sample=0):
    return Request(name, text, (Message("user", text),), (), sample)


class Backend:
    """Answers requests within the budget, and optionally fails after some answers."""

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
    """Return a function that makes stored models over one store and records opened backends."""
    opened = []

    def make(limit=None, **how):
        def backend(budget):
            opened.append(Backend(budget, **how))
            return opened[-1]

        store = ReplyStore(tmp_path / "store")
        return StoredLlm(backend, IDENTITY, store, SPEC, limit_usd=limit, spent_usd=store.spent_usd)

    make.opened = opened
    return make


def test_stored_llm_sends_a_request_once(stored):
    first = list(stored().generate([request("a", "one"), request("b", "two")]))
    again = list(stored().generate([request("x", "two"), request("y", "three"), request("a", "one", sample=1)]))
    assert [reply.query_id for reply in first] == ["a", "b"]
    assert stored.opened[1].asked == ["y", "a"]
    assert {(reply.query_id, reply.sample): reply.text for reply in again} == {
        ("x", 0): "about two", ("y", 0): "about three", ("a", 1): "about one",
    }  # fmt: skip
    assert all(len(reply.key) == 64 and reply.time for reply in first)


def test_stored_llm_does_not_open_the_backend_if_all_replies_are_stored(stored):
    list(stored().generate([request("a")]))
    assert [reply.query_id for reply in stored().generate([request("b")])] == ["b"]
    assert len(stored.opened) == 1


def test_stored_llm_sends_equal_requests_of_two_queries_once(stored):
    replies = list(stored().generate([request("a"), request("b"), request("c", "else")]))
    assert stored.opened[0].asked == ["a", "c"]
    assert sorted(reply.query_id for reply in replies) == ["a", "b", "c"]


def test_stored_llm_keeps_replies_before_a_failure(stored):
    asked = [request(name, name) for name in "abcd"]
    with pytest.raises(ProviderError):
        list(stored(fail_after=2).generate(asked))
    list(stored().generate(asked))
    assert stored.opened[1].asked == ["c", "d"]


def test_stored_llm_logs_new_requests_and_their_price(stored, caplog):
    list(stored().generate([request("a", "one")]))
    with caplog.at_level(logging.INFO):
        list(stored().generate([request("a", "one"), request("b", "two")]))
    assert "1 of 2 requests new, 1 from the store, est. $0.00" in caplog.text


def test_stored_llm_stops_at_the_budget_and_resumes_with_a_higher_one(stored):
    asked = [request(str(place), f"question {place}") for place in range(10)]
    most = most_usd(SPEC, asked[0])
    with pytest.raises(SpendError, match=r"budget_usd: \$.* are kept: raise budget_usd and run again"):
        list(stored(limit=4.5 * most, price=most).generate(asked))
    assert len(stored.opened[0].asked) == 4
    list(stored(limit=11 * most, price=most).generate(asked))
    assert len(stored.opened[1].asked) == 6


def test_stored_llm_with_a_budget_of_zero_sends_nothing(stored):
    with pytest.raises(SpendError):
        list(stored(limit=0.0).generate([request("a")]))
    assert stored.opened[0].asked == []


def test_budget_counts_requests_in_flight_at_their_highest_price(tmp_path):
    spec = SPEC
    asked = {str(place): request(str(place)) for place in range(5)}
    most = most_usd(spec, asked["0"])
    budget = Budget(3.5 * most, lambda: 0.0, spec, tmp_path)
    assert [item.query_id for item in budget.guard(asked)] == ["0", "1", "2"]
    assert budget.stopped
    budget.check({"2": asked["2"]})  # already reserved
    with pytest.raises(SpendError):
        budget.check({"4": asked["4"]})


def test_cost_usd_estimates_from_characters():
    spec = SPEC
    item = Request("a", "", (Message("system", "x" * 40), Message("user", "y" * 60)))
    assert prompt_tokens(item) == 100 / 4 + 2 * 4
    price, written = spec.price, reply_tokens(spec)
    assert cost_usd(spec, [item, item]) == pytest.approx(2 * (33 * price.input + written * price.output) / 1e6)
    assert most_usd(spec, item) > cost_usd(spec, [item])


def test_budget_counts_open_batches(tmp_path):
    asked = {str(place): request(str(place)) for place in range(3)}
    budget = Budget(2.5 * most_usd(SPEC, asked["0"]), lambda: 0.0, SPEC, tmp_path)
    budget.reserve({"0": asked["0"], "1": asked["1"]})
    with pytest.raises(SpendError):
        budget.check({"2": asked["2"]})


@pytest.mark.parametrize("cached", [-5, 0, 40, 100, 10**6])
def test_price_is_never_negative_or_above_the_price_without_cache(cached):
    price = SPEC.price
    full = price_usd(price, Answer("", "stop", "", 40, 30), "live")
    found = price_usd(price, Answer("", "stop", "", 40, 30, cached), "live")
    assert (40 * price.cached_input + 30 * price.output) / 1e6 <= found + 1e-15
    assert 0 < found <= full


def test_most_usd_reserves_the_largest_thinking_budget():
    item = request("a")
    free = most_usd(gemini_spec("http://localhost", thinking_budget=-1), item)
    none = most_usd(gemini_spec("http://localhost", thinking_budget=0), item)
    assert free - none == pytest.approx(32_768 * 1.6 / 1e6)


def test_stored_llm_score_refuses_a_hosted_model_without_opening_it(stored):
    with pytest.raises(ModelError, match=r"gpt-4\.1-mini: a hosted model gives no .* listwise, or setwise or pairwise"):
        stored().score([((Message("user", "why?"),), "so")])
    assert stored.opened == []


def test_open_stored_loads_a_local_model_once(tmp_path, monkeypatch):
    opened = []
    open_llm = llms.open_llm
    monkeypatch.setattr(llms, "open_llm", lambda *how, **named: opened.append(how) or open_llm(*how, **named))
    stored = llms.open_stored(EchoLlm(backend="echo"))
    assert opened == []
    for place in range(3):
        assert len(list(stored.generate([request("a", f"text {place}")]))) == 1
        stored.score([((Message("user", "why?"),), "so")])
    assert len(opened) == 1


def test_two_stored_llms_on_one_store_send_each_request_once(stored, monkeypatch):
    monkeypatch.setattr(cached_llm, "WAIT_S", 0.01)
    asked = [request(str(place), f"question {place}") for place in range(14)]
    first = stored().generate(asked)
    got = [next(first)]
    second = []
    other = threading.Thread(target=lambda: second.extend(stored().generate(asked)))
    other.start()
    time.sleep(0.05)
    assert len(second) <= 1
    got += first
    other.join()
    assert sorted(reply.query_id for reply in got) == sorted(reply.query_id for reply in second)
    assert sum(len(backend.asked) for backend in stored.opened) == 14


def test_budget_is_shared_by_models_that_send_at_the_same_time(tmp_path):
    most = most_usd(SPEC, request("0", "question 0"))
    sent, together = [], threading.Barrier(2)

    class Slow(Backend):
        def generate(self, requests):
            for place, reply in enumerate(super().generate(requests)):
                sent.append(reply.query_id)
                if place < 2:
                    together.wait(60)  # both have the same number of requests in flight
                yield reply

    def run(names):
        with ReplyStore(tmp_path / names[0]) as store, suppress(SpendError):
            model = StoredLlm(
                lambda budget: Slow(budget, price=most), IDENTITY, store, SPEC,
                limit_usd=5.5 * most, spent_usd=lambda: spent_usd(tmp_path),
            )  # fmt: skip
            list(model.generate([request(name, f"question {name}") for name in names]))

    other = threading.Thread(target=run, args=("abcdef",))
    other.start()
    run("uvwxyz")
    other.join()
    assert len(sent) == 5
    assert spent_usd(tmp_path) == pytest.approx(5 * most)
    assert list(tmp_path.glob("in-flight-*")) == []


def test_budget_frees_what_a_killed_process_had_in_flight(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom provider_specs import openai_spec, request\n"
        "from synthrank.llms.store.budget import Budget\n"
        "budget = Budget(1.0, lambda: 0.0, openai_spec('http://localhost'), Path(sys.argv[1]))\n"
        "budget.reserve({str(place): request(str(place)) for place in range(3)})\n"
        "print('reserved', flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    support = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2] / "support"), *sys.path])}
    asked = {str(place): request(str(place)) for place in range(9)}
    spec = openai_spec("http://localhost")
    limit = 5.5 * most_usd(spec, asked["0"])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=support) as process:
        assert process.stdout.readline() == "reserved\n"
        with Budget(limit, lambda: 0.0, spec, tmp_path) as budget:
            assert len(list(budget.guard(asked))) == 2
        process.kill()
        process.wait()
    with Budget(limit, lambda: 0.0, spec, tmp_path) as budget:
        assert len(list(budget.guard(asked))) == 5


def test_a_claim_of_a_killed_process_is_released(tmp_path):
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom synthrank.llms.store.claims import claim\n"
        "with claim(Path(sys.argv[1]), ['a', 'b']) as mine:\n"
        "    print(sorted(mine), flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "['a', 'b']\n"
        with claim(tmp_path, ["b", "c"]) as mine:
            assert mine == {"c"}
        process.kill()
        process.wait()
    with claim(tmp_path, ["b", "c"]) as mine:
        assert mine == {"b", "c"}
    assert list(tmp_path.glob("claim-*")) == []


def test_nothing_is_sent_if_the_store_has_no_room(tmp_path):
    with small_disk(tmp_path / "disk", 16) as disk:
        opened = []
        store = ReplyStore(disk / "store")
        model = StoredLlm(opened.append, IDENTITY, store, SPEC, limit_usd=None, spent_usd=store.spent_usd)
        with pytest.raises(StoreError, match="is full"):
            list(model.generate([request("a", "why? " * 4000)]))
        assert opened == []
        store.close()


def test_replies_in_flight_are_kept_if_the_disk_fills(tmp_path):
    with small_disk(tmp_path / "disk", 64) as disk, ReplyStore(disk / "store") as store:
        store.prepare(20_000)
        with suppress(OSError), (disk / "filler").open("wb") as filler:
            while True:
                filler.write(b"x" * 4096)
                filler.flush()
        for place in range(5):
            store.add(
                Reply("a", "why", place, "text " * 200, "stop", 1, 1, "m", {}, (), key=f"{place:064x}", time="now")
            )
        assert len(store.find(f"{place:064x}" for place in range(5))) == 5
        with pytest.raises(StoreError, match="is full"):
            store.prepare(20_000)
        assert len(store.find(f"{place:064x}" for place in range(5))) == 5


def test_a_read_only_store_is_an_error_before_any_request(tmp_path):
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(StoreError, match="no request was sent"), claim(tmp_path / "store" / "m", ["a"]):
        pass
