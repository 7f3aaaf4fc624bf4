"""Concurrent requests to the test server and to a fake client."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest
from provider_server import MIXED, Fault, ProviderServer
from provider_specs import KEY, gemini_spec, openai_spec, request

from synthrank.config.llms import Limits
from synthrank.errors import ProviderError, SpendError, TransientError
from synthrank.llms.base import Answer
from synthrank.llms.gemini_client import GeminiClient
from synthrank.llms.live.concurrency import HOPELESS, ask_all
from synthrank.llms.live.rate_limit import Gate, Rate, Tokens
from synthrank.llms.openai_client import OpenAiClient

WAIT_S = 0.02


def limits(**changes):
    return Limits(**{"concurrency": 4, "timeout_s": 5, "attempts": 4, "longest_wait_s": 2, **changes})


class Fake:
    """A fake client: a function of the text and the attempt returns an error to raise, or None."""

    def __init__(self, fail=lambda text, attempt: None, latency=0.0):
        self.asks, self.in_flight, self.most = Counter(), 0, 0
        self._fail, self._latency = fail, latency

    async def ask(self, asked):
        text = asked.query
        self.asks[text] += 1
        number = self.asks[text]
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            await asyncio.sleep(self._latency)
            problem = self._fail(text, number)
            if problem:
                raise problem
            return Answer(text, "stop", "m", tokens_in=10, tokens_out=10)
        finally:
            self.in_flight -= 1


def collected(client, requests, allowed, taken=None):
    """Return the yielded answers and the error at the end."""
    got = [] if taken is None else taken

    async def run():
        async for asked in ask_all(client, requests, allowed, first_wait_s=WAIT_S):
            got.append(asked)

    try:
        asyncio.run(run())
    except Exception as error:
        return got, error
    return got, None


def rate(retry_after=None):
    return TransientError("too many", "rate", retry_after)


# Over a socket


@pytest.mark.parametrize("wire", ["openai", "gemini"])
def test_ask_all_answers_every_request_once_despite_mixed_faults(wire):
    requests = [request(f"question {number}") for number in range(60)]
    with ProviderServer([Fault("mixed", share=0.4)], latency=0.01, spread=0.005) as server:
        allowed = {"limits": {"concurrency": 8}}
        client = (
            OpenAiClient(openai_spec(server.url, **allowed), KEY)
            if wire == "openai"
            else GeminiClient(gemini_spec(server.url, **allowed), KEY)
        )

        async def run():
            try:
                return [asked async for asked in ask_all(client, requests, limits(concurrency=8), first_wait_s=WAIT_S)]
            finally:
                await client.close()

        got = asyncio.run(run())
        seen = {call.fault for call in server.calls} - {""}
    assert sorted(asked.request.query for asked in got) == sorted(item.query for item in requests)
    assert all(asked.answer.text.endswith(asked.request.query) for asked in got), "answers match their requests"
    assert set(server.answered.values()) == {1}
    assert {asked.request.query: asked.attempts for asked in got} == dict(server.asked)
    assert server.failed > 10
    assert seen == set(MIXED)
    assert server.count <= 1.1 * (len(requests) + server.failed)
    assert server.most_in_flight <= 8


def test_an_attempt_times_out_even_if_data_arrives():
    class Dribbling(Fake):
        async def ask(self, asked):
            answer = await super().ask(asked)
            if asked.query == "slow" and self.asks["slow"] == 1:
                await asyncio.sleep(30)
            return answer

    got, error = collected(Dribbling(), [request("slow"), request("quick")], limits(timeout_s=0.5))
    assert error is None
    assert {asked.request.query: asked.attempts for asked in got} == {"quick": 1, "slow": 2}
    assert max(asked.latency_s for asked in got) < 0.5, "the latency excludes earlier attempts"


# Limits


def test_ask_all_uses_exactly_the_allowed_concurrency():
    client = Fake(latency=0.01)
    got, error = collected(client, map(request, map(str, range(50))), limits(concurrency=7))
    assert (len(got), error, client.most) == (50, None, 7)


def test_ask_all_takes_requests_lazily():
    taken = []

    def counted():
        for number in range(1000):
            taken.append(number)
            yield request(str(number))

    async def run():
        answers = ask_all(Fake(), counted(), limits(concurrency=3))
        for _ in range(10):
            await anext(answers)
        await asyncio.sleep(0.05)
        await answers.aclose()

    asyncio.run(run())
    assert 10 <= len(taken) <= 10 + 2 * 3 + 1, "answers in the queue delay more requests"


def test_closing_ask_all_cancels_requests_in_flight():
    client = Fake(latency=0.05)

    async def run():
        answers = ask_all(client, map(request, map(str, range(50))), limits(concurrency=3))
        await anext(answers)
        await answers.aclose()
        assert client.in_flight == 0
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
    assert sum(client.asks.values()) <= 6


class Clock:
    """A clock that advances only in sleep."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize("per_minute", [1, 7, 500, 30_000])
def test_rate_never_exceeds_the_limit_in_a_minute(per_minute):
    clock, times = Clock(), []
    pace = Rate(per_minute, clock, clock.sleep)

    async def run():
        for number in range(3 * per_minute):
            await pace.take()
            times.append(clock.now)
            if number == per_minute:
                clock.now += 61.3  # unused capacity is not saved during a pause

    asyncio.run(run())
    for place, start in enumerate(times):
        assert sum(start <= time < start + 60 for time in times[place : place + 2 * per_minute]) <= per_minute
        if place > 2 * 50:
            break
    assert times[-1] - times[0] <= 60 * 3 * 1.02 + 62, "the rate is close to the limit"


def test_rate_corrects_reserved_tokens():
    clock = Clock()
    pace = Rate(6010, clock, clock.sleep)  # 100 per second

    async def run():
        await pace.take(1000)
        pace.correct(-500)
        await pace.take(100)
        first = clock.now
        pace.correct(400)
        await pace.take(1)
        return first, clock.now

    first, second = asyncio.run(run())
    assert (first, second) == (pytest.approx(104.9), pytest.approx(109.9)), "the first 0.1 s pass without a wait"


def test_token_estimates_follow_the_observed_means():
    tokens = Tokens()
    assert tokens.expected(400) == pytest.approx(100 + 256)
    for _ in range(1000):
        tokens.learn(400, tokens_in=200, tokens_out=50)
    assert tokens.expected(400) == pytest.approx(250, rel=0.05)


def test_ask_all_respects_requests_per_minute():
    times = []

    class Timed(Fake):
        async def ask(self, asked):
            times.append(asyncio.get_running_loop().time())
            return await super().ask(asked)

    got, error = collected(Timed(), map(request, map(str, range(9))), limits(requests_per_minute=2400))
    assert (len(got), error) == (9, None)
    assert times[-1] - times[0] >= 8 * 0.025 - 0.1 - 0.005


def test_ask_all_respects_tokens_per_minute():
    times = []

    class Timed(Fake):
        async def ask(self, asked):
            times.append(asyncio.get_running_loop().time())
            return await super().ask(asked)

    # The estimate is about 256 tokens per request, 0.064 s at this rate; the first 0.1 s pass without a wait.
    collected(Timed(), map(request, map(str, range(6))), limits(tokens_per_minute=240_000))
    assert times[3] - times[0] >= 3 * 0.064 - 0.1


# 429


def test_gate_halves_after_a_refused_round_and_recovers_with_answers():
    async def run():
        clock = Clock()
        gate = Gate(8, 1.0, clock)
        for _ in range(8):
            await gate.enter()
        sent, clock.now = clock.now, clock.now + 1
        for _ in range(8):
            gate.too_many(sent, 5)
            gate.leave()
        assert gate.allowed == 4
        clock.now += 4.9
        assert gate.closed
        clock.now += 0.2
        assert not gate.closed
        for _ in range(4):
            gate.answered()
        assert gate.allowed == pytest.approx(5.8, abs=0.2), "a round of answers adds two places"
        for _ in range(100):
            gate.answered()
            gate.answered()
        assert gate.allowed == 8
        for _ in range(100):
            gate.too_many(clock.now, 0)
        assert gate.allowed == 1, "at least one place remains"

    asyncio.run(run())


def test_gate_keeps_most_places_with_few_refusals():
    async def run():
        gate = Gate(128, 1.0, Clock())
        for number in range(5000):
            gate.too_many(0, 0) if number % 20 == 0 else gate.answered()
        return gate.allowed

    assert 64 < asyncio.run(run()) <= 128


def test_gate_doubles_pauses_until_an_answer_arrives():
    async def run():
        clock, pauses = Clock(), []
        gate = Gate(8, 1.0, clock)

        def pause():
            gate.too_many(clock.now, None)
            gate.too_many(clock.now - 0.5, None)  # sent together with the previous request
            started = clock.now
            while gate.closed:
                clock.now += 1 / 64
            pauses.append(clock.now - started)

        for _ in range(3):
            pause()
        gate.answered()
        pause()
        return pauses

    assert asyncio.run(run()) == pytest.approx([0.125, 0.25, 0.5, 0.125], abs=0.02)


def test_a_429_stops_all_requests_for_its_retry_after():
    times = {}

    def fail(text, attempt):
        times[text, attempt] = asyncio.get_running_loop().time()
        return rate(0.2) if (text, attempt) == ("0", 1) else None

    client = Fake(fail)
    got, error = collected(client, map(request, map(str, range(20))), limits(concurrency=2))
    assert (len(got), error) == (20, None)
    refused = times.pop(("0", 1))
    assert min(time for time in times.values() if time > refused + 0.01) >= refused + 0.2
    assert sum(time <= refused + 0.01 for time in times.values()) <= 1, "at most one request was already in flight"


def test_a_429_without_retry_after_is_retried():
    got, error = collected(Fake(lambda text, attempt: rate() if attempt < 3 else None), [request("a")], limits())
    assert error is None
    assert got[0].attempts == 3


def test_a_retry_after_beyond_the_limit_is_an_error():
    client = Fake(lambda text, attempt: rate(3600) if text == "3" else None)
    got, error = collected(client, map(request, map(str, range(20))), limits(concurrency=1))
    assert type(error) is ProviderError
    assert "requires a wait of 3600 s, limits.longest_wait_s is 2: run again later" in str(error)
    assert [asked.request.query for asked in got] == ["0", "1", "2"]
    assert client.asks["3"] == 1


# Errors


@pytest.mark.parametrize("kind", ["rate", "server", "timeout", "connection", "lost", "malformed"])
def test_ask_all_makes_the_allowed_number_of_attempts(kind):
    client = Fake(lambda text, attempt: TransientError("m: something", kind))
    got, error = collected(client, [request("a")], limits(attempts=3))
    assert (got, client.asks["a"]) == ([], 3)
    assert type(error) is ProviderError
    assert str(error) == (
        "1 requests have no answer, of query q-a; the others are kept; the first: "
        "m: something; failed 3 times: run again later or raise limits.attempts; all answers so far are kept"
    )


def test_retry_after_is_respected_for_any_error():
    times = []

    def fail(text, attempt):
        times.append(asyncio.get_running_loop().time())
        return TransientError("x", "server", retry_after=0.25) if attempt == 1 else None

    collected(Fake(fail), [request("a")], limits())
    assert times[1] - times[0] >= 0.25


def test_waits_double_between_attempts():
    times = []

    def fail(text, attempt):
        times.append(asyncio.get_running_loop().time())
        return TransientError("x", "server") if attempt < 5 else None

    collected(Fake(fail), [request("a")], limits(attempts=5))
    gaps = [after - before for before, after in pairwise(times)]
    assert len(gaps) == 4
    for place, gap in enumerate(gaps):
        assert gap >= WAIT_S / 2 * 2**place - 0.002


def test_a_permanent_error_ends_the_run_after_requests_in_flight():
    def fail(text, attempt):
        return ProviderError("bad request") if text == "0" else None

    class Late(Fake):
        async def ask(self, asked):
            if asked.query != "0":
                await asyncio.sleep(0.05)
            return await super().ask(asked)

    client = Late(fail)
    got, error = collected(client, map(request, map(str, range(50))), limits(concurrency=4))
    assert str(error) == "bad request"
    assert sorted(asked.request.query for asked in got) == ["1", "2", "3"], "requests in flight are answered"
    assert sum(client.asks.values()) == 4, "no other request is sent"


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(
    "problem", [ProviderError("refused", of_request=True), TransientError("unreadable", "malformed")], ids=str
)
def test_single_requests_that_fail_do_not_stop_the_others(problem, concurrency):
    bad = {str(number) for number in range(0, 50, 7)}
    client = Fake(lambda text, attempt: problem if text in bad else None)
    got, error = collected(client, map(request, map(str, range(50))), limits(concurrency=concurrency, attempts=2))
    assert {asked.request.query for asked in got} == {str(number) for number in range(50)} - bad
    assert type(error) is ProviderError
    assert f"{len(bad)} requests have no answer" in str(error)
    assert all(f"q-{name}" in str(error) for name in bad)
    assert str(problem) in str(error)
    assert max(client.asks.values()) == (2 if isinstance(problem, TransientError) else 1)


def test_a_run_ends_if_every_request_fails():
    client = Fake(lambda text, attempt: ProviderError("refused", of_request=True))
    got, error = collected(client, map(request, map(str, range(500))), limits(concurrency=4))
    assert (got, str(error)) == ([], "refused")
    assert sum(client.asks.values()) <= HOPELESS + 4


def test_requests_are_not_retried_after_a_permanent_error():
    def fail(text, attempt):
        return ProviderError("bad request") if text == "0" else TransientError("later", "server")

    client = Fake(fail, latency=0.01)
    got, error = collected(client, map(request, map(str, range(50))), limits(concurrency=4))
    assert (got, str(error)) == ([], "bad request")
    assert set(client.asks.values()) == {1}


def test_an_error_of_the_iterable_ends_the_run_after_requests_in_flight():
    def guarded():
        yield from (request(str(number)) for number in range(3))
        raise SpendError("the money is spent")

    client = Fake(latency=0.02)
    got, error = collected(client, guarded(), limits(concurrency=8))
    assert (len(got), str(error)) == (3, "the money is spent")


def test_answers_that_arrive_with_a_permanent_error_are_yielded():
    """Answers and the permanent error arrive in the same iteration of the event loop."""
    event = asyncio.Event()

    class Together(Fake):
        async def ask(self, asked):
            if asked.query == "7":
                event.set()
            await event.wait()
            return await super().ask(asked)

    client = Together(lambda text, attempt: ProviderError("no") if text == "7" else None)
    got, error = collected(client, map(request, map(str, range(20))), limits(concurrency=8))
    assert str(error) == "no"
    assert len(got) == sum(client.asks.values()) - 1
