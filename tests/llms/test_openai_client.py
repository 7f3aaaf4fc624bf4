"""The real SDK against the test server, over a socket."""

import asyncio
import json
import logging
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from provider_server import Fault, ProviderServer
from provider_specs import KEY, openai_spec, request

from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer
from synthrank.llms.openai_client import OpenAiClient
from synthrank.llms.provider import wait_asked
from synthrank.records import Message, Request


@pytest.fixture(scope="module")
def served():
    with ProviderServer() as running:
        yield running


@pytest.fixture
def server(served):
    served.faults, served.calls = [], []
    served.asked.clear()
    return served


def use(server, work, **changes):
    """Run ``work(client)`` with a client of its own."""

    async def run():
        client = OpenAiClient(openai_spec(server.url, **changes), KEY)
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def ask(server, asked=None, **changes):
    return use(server, lambda client: client.ask(asked or request()), **changes)


def failing(server, *faults, **changes):
    server.faults = list(faults)
    with pytest.raises(ProviderError) as caught:
        ask(server, **changes)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("gpt-4.1-mini: ")
    assert KEY not in message + repr(caught.value)
    assert caught.value.__cause__ is None, "the SDK's error holds the request, and the request holds the key"
    assert caught.value.__context__ is None
    return caught.value


def test_an_answer_with_all_that_it_took(server):
    assert ask(server) == Answer(
        text="Here is what I know about: why do bees dance", finish_reason="stop", snapshot="gpt-4.1-mini-2025-04-14",
        tokens_in=7, tokens_out=10, tokens_cached=3)  # fmt: skip


def test_what_is_sent(server):
    turns = (Message("system", "Be brief."), Message("user", "one"), Message("assistant", "1"), Message("user", "two"))
    ask(server, Request("q", "two", turns))
    (call,) = server.calls
    body = call.body
    seed = body.pop("seed")
    assert 0 <= seed < 2**31
    assert body == {
        "model": "gpt-4.1-mini", "temperature": 0.7, "top_p": 0.9, "max_completion_tokens": 64,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one"},
                     {"role": "assistant", "content": "1"}, {"role": "user", "content": "two"}],
    }  # fmt: skip
    assert call.headers["authorization"] == f"Bearer {KEY}"


def test_samples_have_seeds_of_their_own_and_the_same_request_has_the_same(server):
    for sample in (0, 0, 1):
        ask(server, request(sample=sample))
    first, again, other = (call.body["seed"] for call in server.calls)
    assert first == again != other


def test_an_older_servers_word_for_the_limit(server):
    ask(server, token_limit_key="max_tokens")
    assert server.calls[0].body["max_tokens"] == 64
    assert "max_completion_tokens" not in server.calls[0].body


@pytest.mark.parametrize(
    ("kind", "finish", "blocked", "text"),
    [
        ("length", "length", "", "Here is what"),
        ("content_filter", "blocked", "content_filter", ""),
        ("refusal", "blocked", "refusal", "I cannot help with that."),
        ("prompt-block", "blocked", "content_filter", ""),
    ],
)
def test_cuts_and_blocks_are_answers(server, kind, finish, blocked, text):
    server.faults = [Fault(kind)]
    answer = ask(server)
    assert (answer.finish_reason, answer.blocked, answer.text) == (finish, blocked, text)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("429", "rate"),
        ("500", "server"),
        ("503", "server"),
        ("408", "timeout"),
        ("reset", "connection"),
        ("lost", "connection"),
        ("malformed", "malformed"),
        ("empty", "malformed"),
        ("no-usage", "malformed"),
    ],
)
def test_errors_that_may_pass(server, kind, expected):
    error = failing(server, Fault(kind))
    assert isinstance(error, TransientError)
    assert (error.kind, error.retry_after) == (expected, None)
    assert len(server.calls) == 1, "the SDK itself asks once"


def test_a_server_that_hangs(server):
    error = failing(server, Fault("hang"), limits={"timeout_s": 0.3})
    assert error.kind == "timeout"


def test_a_server_that_is_not_there():
    class Nowhere:
        url = "http://127.0.0.1:9"
        faults = ()

    assert failing(Nowhere()).kind == "connection"


def test_the_wait_that_is_asked_for(server):
    assert failing(server, Fault("429", retry_after=7)).retry_after == 7
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    assert wait_asked({"retry-after": later}) == pytest.approx(30, abs=5)
    assert wait_asked({"retry-after-ms": "1500", "retry-after": "2"}) == 1.5
    assert wait_asked({"retry-after": "soon"}) is None
    assert wait_asked({"retry-after": "-1"}) is None


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("bad-key", r"rejects the key .*\[key\].*; check environment variable SYNTHRANK_TEST_KEY$"),
        ("no-model", r"does not know it .*; check model and base_url in config/llms$"),
        ("too-long", r"too long .*maximum context length is 10.*; shorten the prompt"),
        ("bad-request", r"refuses a request .*Only 1 is supported.*; change the settings in config/llms"),
        ("no-quota", r"quota is used up .*; add credit"),
    ],
)
def test_errors_that_will_not_pass(server, kind, remedy):
    error = failing(server, Fault(kind))
    assert type(error) is ProviderError
    assert re.search(remedy, str(error))


def test_a_broken_address(server):
    error = failing(server, base_url="ftp://x")
    assert type(error) is ProviderError
    assert str(error).endswith("; check base_url in config/llms")


def test_the_key_is_in_no_log_and_no_repr(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.faults = [Fault("bad-key", match="bad")]

    async def work(client):
        await client.ask(request("good"))
        with pytest.raises(ProviderError):
            await client.ask(request("bad"))
        assert KEY not in repr(client) + str(client)

    use(server, work)
    assert caplog.records, "something was logged, or this tests nothing"
    assert KEY not in caplog.text


def submitted(server, tmp_path, texts, name="a-batch"):
    async def work(client):
        file = tmp_path / "in.jsonl"
        lines = [client.batch_line(f"key-{text}", request(text)) for text in texts]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        batch = await client.submit_batch(file, name)
        states = [(await client.poll_batch(batch)) for _ in range(2)]
        found = await client.find_batch(name), await client.find_batch("another")
        paths = await client.download_batch(batch, tmp_path)
        rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
        return batch, [state.state for state in states], found, dict(map(client.read_line, rows)), states[-1].error

    return use(server, work)


def test_a_batch_from_submission_to_answers(server, tmp_path):
    server.batch_polls = 2
    texts = [f"question {number} of a batch" for number in range(5)]
    batch, states, found, answers, _ = submitted(server, tmp_path, texts)
    server.batch_polls = 1
    assert states == ["running", "done"]
    assert found == (batch, None)
    assert {key: answer.text for key, answer in answers.items()} == {
        f"key-{text}": f"Here is what I know about: {text}" for text in texts
    }
    assert answers[f"key-{texts[0]}"] == ask(server, request(texts[0])), "a batch says what a live call says"


def test_a_batch_is_found_behind_the_first_page(server, tmp_path):
    server.page = 1
    submitted(server, tmp_path, ["first"], "first-name")
    for number in range(3):
        submitted(server, tmp_path, [f"later {number}"], f"later-{number}")
    found = use(server, lambda client: client.find_batch("first-name"))
    server.page = 20
    assert server.batches[found]["name"] == "first-name"


def test_lines_that_failed(server, tmp_path):
    server.faults = [Fault("line-error", match="two"), Fault("refusal", match="three")]
    _, _, _, answers, _ = submitted(server, tmp_path, ["one", "two", "three"], "lines")
    assert isinstance(answers["key-two"], TransientError)
    assert answers["key-two"].kind == "server"
    assert answers["key-three"].blocked == "refusal"
    assert answers["key-one"].finish_reason == "stop"


def test_batches_that_end_early(server, tmp_path):
    server.faults = [Fault("batch-expired", match="slow")]
    _, states, _, answers, _ = submitted(server, tmp_path, ["slow 1", "slow 2"], "slow")
    assert states[-1] == "expired"
    assert isinstance(answers["key-slow 1"], Answer)
    assert isinstance(answers["key-slow 2"], TransientError)
    server.faults = [Fault("batch-failed", match="wrong")]
    _, states, _, answers, why = submitted(server, tmp_path, ["wrong"], "wrong")
    assert (states[-1], answers, why) == ("failed", {}, "Line 1 is not valid.")


def test_a_result_line_of_an_unknown_form(server):
    async def work(client):
        return [client.read_line(line) for line in ({}, {"custom_id": "k", "response": {"status_code": 200}})]

    (nobody, first), (key, second) = use(server, work)
    assert (nobody, key) == ("", "k")
    assert first.kind == second.kind == "malformed"


def test_a_result_line_that_says_the_key_is_wrong(server):
    async def work(client):
        body = {"error": {"code": "invalid_api_key", "message": f"no {KEY}"}}
        return client.read_line({"custom_id": "k", "response": {"status_code": 401, "body": body}, "error": None})

    _, error = use(server, work)
    assert type(error) is ProviderError
    assert KEY not in str(error)
