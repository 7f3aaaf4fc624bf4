"""Many requests at once, against the test server and against a client that is one function."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest
from provider_server import MIXED, Fault, ProviderServer
from provider_specs import KEY, gemini_spec, openai_spec, request

from synthrank.errors import ProviderError, SpendError, TransientError
from synthrank.llms.base import Answer
from synthrank.llms.gemini_client import GeminiClient
from synthrank.llms.live import ask_all
from synthrank.llms.openai_client import OpenAiClient
from synthrank.llms.pace import Gate, Rate, Tokens
from synthrank.specs.llms import Limits

WAIT_S = 0.02


def limits(**changes):
    return Limits(**{"concurrency": 4, "timeout_s": 5, "attempts": 4, "longest_wait_s": 2, **changes})


class Told:
    """A client that answers by a function of the text and the number of the ask."""

    def __init__(self, tell=lambda text, ask: None, latency=0.0):
        self.asks, self.in_flight, self.most = Counter(), 0, 0
        self._tell, self._latency = tell, latency

    async def ask(self, asked):
        text = asked.query
        self.asks[text] += 1
        number = self.asks[text]
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            await asyncio.sleep(self._latency)
            problem = self._tell(text, number)
            if problem:
                raise problem
            return Answer(text, "stop", "m", tokens_in=10, tokens_out=10)
        finally:
            self.in_flight -= 1


def collected(client, requests, allowed, taken=None):
    """Return what was yielded and the error at the end."""
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
def test_every_request_is_answered_once_through_mixed_faults(wire):
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
    assert all(asked.answer.text.endswith(asked.request.query) for asked in got), "each has its own answer"
    assert set(server.answered.values()) == {1}
    assert {asked.request.query: asked.attempts for asked in got} == dict(server.asked)
    assert server.failed > 10
    assert seen == set(MIXED)
    assert server.count <= 1.1 * (len(requests) + server.failed)
    assert server.most_in_flight <= 8


def test_an_attempt_ends_after_its_time_whatever_the_connection_says():
    class Dribbling(Told):
        async def ask(self, asked):
            answer = await super().ask(asked)
            if asked.query == "slow" and self.asks["slow"] == 1:
                await asyncio.sleep(30)
            return answer

    got, error = collected(Dribbling(), [request("slow"), request("quick")], limits(timeout_s=0.5))
    assert error is None
    assert {asked.request.query: asked.attempts for asked in got} == {"quick": 1, "slow": 2}
    assert max(asked.latency_s for asked in got) < 0.5, "the latency is that of the answer, not of the attempts before"


# Limits


def test_no_more_are_in_flight_than_allowed_and_no_fewer():
    client = Told(latency=0.01)
    got, error = collected(client, map(request, map(str, range(50))), limits(concurrency=7))
    assert (len(got), error, client.most) == (50, None, 7)


def test_requests_are_taken_one_by_one():
    taken = []

    def counted():
        for number in range(1000):
            taken.append(number)
            yield request(str(number))

    async def run():
        answers = ask_all(Told(), counted(), limits(concurrency=3))
        for _ in range(10):
            await anext(answers)
        await asyncio.sleep(0.05)
        await answers.aclose()

    asyncio.run(run())
    assert 10 <= len(taken) <= 10 + 2 * 3 + 1, "those not taken yet hold the others back"


def test_an_early_end_drops_what_is_in_flight():
    client = Told(latency=0.05)

    async def run():
        answers = ask_all(client, map(request, map(str, range(50))), limits(concurrency=3))
        await anext(answers)
        await answers.aclose()
        assert client.in_flight == 0
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())
    assert sum(client.asks.values()) <= 6


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize("per_minute", [1, 7, 500, 30_000])
def test_in_no_minute_are_there_more_than_the_limit(per_minute):
    clock, times = Clock(), []
    pace = Rate(per_minute, clock, clock.sleep)

    async def run():
        for number in range(3 * per_minute):
            await pace.take()
            times.append(clock.now)
            if number == per_minute:
                clock.now += 61.3  # nothing to do for a while: what was not used is not saved up

    asyncio.run(run())
    for place, start in enumerate(times):
        assert sum(start <= time < start + 60 for time in times[place : place + 2 * per_minute]) <= per_minute
        if place > 2 * 50:
            break
    assert times[-1] - times[0] <= 60 * 3 * 1.02 + 62, "and not many fewer"


def test_tokens_are_reserved_and_corrected():
    clock = Clock()
    pace = Rate(6010, clock, clock.sleep)  # 100 a second

    async def run():
        await pace.take(1000)
        pace.correct(-500)
        await pace.take(100)
        first = clock.now
        pace.correct(400)
        await pace.take(1)
        return first, clock.now

    first, second = asyncio.run(run())
    assert (first, second) == (pytest.approx(104.9), pytest.approx(109.9)), "0.1 s of it was free at once"


def test_the_estimate_follows_what_is_seen():
    tokens = Tokens()
    assert tokens.expected(400) == pytest.approx(100 + 256)
    for _ in range(1000):
        tokens.learn(400, tokens_in=200, tokens_out=50)
    assert tokens.expected(400) == pytest.approx(250, rel=0.05)


def test_requests_a_minute_hold_in_a_run():
    times = []

    class Timed(Told):
        async def ask(self, asked):
            times.append(asyncio.get_running_loop().time())
            return await super().ask(asked)

    got, error = collected(Timed(), map(request, map(str, range(9))), limits(requests_per_minute=2400))
    assert (len(got), error) == (9, None)
    assert times[-1] - times[0] >= 8 * 0.025 - 0.1 - 0.005


def test_tokens_a_minute_hold_in_a_run():
    times = []

    class Timed(Told):
        async def ask(self, asked):
            times.append(asyncio.get_running_loop().time())
            return await super().ask(asked)

    # The estimate is about 256 tokens a request, 0.064 s at this rate; the first 0.1 s are free at once.
    collected(Timed(), map(request, map(str, range(6))), limits(tokens_per_minute=240_000))
    assert times[3] - times[0] >= 3 * 0.064 - 0.1


# 429


def test_a_refused_round_halves_what_is_allowed_and_answers_bring_it_back():
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
        assert gate.allowed == 1, "never none"

    asyncio.run(run())


def test_few_refusals_leave_most_places():
    async def run():
        gate = Gate(128, 1.0, Clock())
        for number in range(5000):
            gate.too_many(0, 0) if number % 20 == 0 else gate.answered()
        return gate.allowed

    assert 64 < asyncio.run(run()) <= 128


def test_pauses_double_while_nothing_but_refusals_comes():
    async def run():
        clock, pauses = Clock(), []
        gate = Gate(8, 1.0, clock)

        def pause():
            gate.too_many(clock.now, None)
            gate.too_many(clock.now - 0.5, None)  # sent with the one before
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


def test_a_429_stops_everyone_for_the_time_it_asks():
    times = {}

    def tell(text, ask):
        times[text, ask] = asyncio.get_running_loop().time()
        return rate(0.2) if (text, ask) == ("0", 1) else None

    client = Told(tell)
    got, error = collected(client, map(request, map(str, range(20))), limits(concurrency=2))
    assert (len(got), error) == (20, None)
    refused = times.pop(("0", 1))
    assert min(time for time in times.values() if time > refused + 0.01) >= refused + 0.2
    assert sum(time <= refused + 0.01 for time in times.values()) <= 1, "only what was on its way came before"


def test_a_429_without_a_time_waits_too_and_its_request_comes_back():
    got, error = collected(Told(lambda text, ask: rate() if ask < 3 else None), [request("a")], limits())
    assert error is None
    assert got[0].attempts == 3


def test_a_wait_that_is_too_long_is_not_done():
    client = Told(lambda text, ask: rate(3600) if text == "3" else None)
    got, error = collected(client, map(request, map(str, range(20))), limits(concurrency=1))
    assert type(error) is ProviderError
    assert "asks to wait 3600 s, and limits.longest_wait_s is 2: run again later" in str(error)
    assert [asked.request.query for asked in got] == ["0", "1", "2"]
    assert client.asks["3"] == 1


# Failing


@pytest.mark.parametrize("kind", ["rate", "server", "timeout", "connection", "malformed"])
def test_attempts_are_used_up_and_no_more(kind):
    client = Told(lambda text, ask: TransientError("m: something", kind))
    got, error = collected(client, [request("a")], limits(attempts=3))
    assert (got, client.asks["a"]) == ([], 3)
    assert type(error) is ProviderError
    assert str(error) == (
        "m: something; asked 3 times: run again later or raise limits.attempts, every answer so far is kept"
    )


def test_a_wait_that_is_asked_for_is_kept_whatever_failed():
    times = []

    def tell(text, ask):
        times.append(asyncio.get_running_loop().time())
        return TransientError("x", "server", retry_after=0.25) if ask == 1 else None

    collected(Told(tell), [request("a")], limits())
    assert times[1] - times[0] >= 0.25


def test_waits_grow():
    times = []

    def tell(text, ask):
        times.append(asyncio.get_running_loop().time())
        return TransientError("x", "server") if ask < 5 else None

    collected(Told(tell), [request("a")], limits(attempts=5))
    gaps = [after - before for before, after in pairwise(times)]
    assert len(gaps) == 4
    for place, gap in enumerate(gaps):
        assert gap >= WAIT_S / 2 * 2**place - 0.002


def test_an_error_for_good_ends_the_run_after_what_is_in_flight():
    def tell(text, ask):
        return ProviderError("bad request") if text == "0" else None

    class Late(Told):
        async def ask(self, asked):
            if asked.query != "0":
                await asyncio.sleep(0.05)
            return await super().ask(asked)

    client = Late(tell)
    got, error = collected(client, map(request, map(str, range(50))), limits(concurrency=4))
    assert str(error) == "bad request"
    assert sorted(asked.request.query for asked in got) == ["1", "2", "3"], "what was in flight is gained"
    assert sum(client.asks.values()) == 4, "and nothing more is asked"


def test_nothing_is_asked_again_after_the_end():
    def tell(text, ask):
        return ProviderError("bad request") if text == "0" else TransientError("later", "server")

    client = Told(tell, latency=0.01)
    got, error = collected(client, map(request, map(str, range(50))), limits(concurrency=4))
    assert (got, str(error)) == ([], "bad request")
    assert set(client.asks.values()) == {1}


def test_an_iterable_that_raises_ends_the_run_after_what_is_in_flight():
    def guarded():
        yield from (request(str(number)) for number in range(3))
        raise SpendError("the money is spent")

    client = Told(latency=0.02)
    got, error = collected(client, guarded(), limits(concurrency=8))
    assert (len(got), str(error)) == (3, "the money is spent")


def test_an_answer_that_came_with_the_error_is_not_lost():
    """Answers and the fatal error in the same turn of the event loop."""
    event = asyncio.Event()

    class Together(Told):
        async def ask(self, asked):
            if asked.query == "7":
                event.set()
            await event.wait()
            return await super().ask(asked)

    client = Together(lambda text, ask: ProviderError("no") if text == "7" else None)
    got, error = collected(client, map(request, map(str, range(20))), limits(concurrency=8))
    assert str(error) == "no"
    assert len(got) == sum(client.asks.values()) - 1
