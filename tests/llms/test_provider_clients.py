"""Each provider's client answers, fails and carries batches as the other does."""

import logging
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from provider_clients import GEMINI, OPENAI
from provider_server import Fault
from provider_specs import KEY, request

from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer
from synthrank.llms.provider import wait_asked


@pytest.fixture(params=[OPENAI, GEMINI], ids=["openai", "gemini"])
def provider(request):
    return request.param


def test_an_answer_with_all_that_it_took(provider, server):
    assert provider.ask(server) == Answer(
        text="Here is what I know about: why do bees dance", finish_reason="stop", snapshot=provider.snapshot,
        tokens_in=7, tokens_out=10, tokens_cached=3)  # fmt: skip


def test_samples_have_seeds_of_their_own_and_the_same_request_has_the_same(provider, server):
    for sample in (0, 0, 1):
        provider.ask(server, request(sample=sample))
    first, again, other = (provider.seed(call.body) for call in server.calls)
    assert first == again != other


@pytest.mark.parametrize(
    ("provider", "kind", "finish", "blocked", "text", "tokens_in"),
    [
        (OPENAI, "length", "length", "", "Here is what", 7),
        (OPENAI, "content_filter", "blocked", "content_filter", "", 7),
        (OPENAI, "refusal", "blocked", "refusal", "I cannot help with that.", 7),
        (OPENAI, "prompt-block", "blocked", "content_filter", "", 0),
        (GEMINI, "MAX_TOKENS", "length", "", "Here is what", 7),
        (GEMINI, "SAFETY", "blocked", "SAFETY", "", 7),
        (GEMINI, "RECITATION", "blocked", "RECITATION", "", 7),
        (GEMINI, "PROHIBITED_CONTENT", "blocked", "PROHIBITED_CONTENT", "", 7),
        (GEMINI, "prompt-block", "blocked", "SAFETY", "", 7),
    ],
)
def test_cuts_and_blocks_are_answers(provider, server, kind, finish, blocked, text, tokens_in):
    server.faults = [Fault(kind)]
    answer = provider.ask(server)
    found = (answer.finish_reason, answer.blocked, answer.text, answer.tokens_in)
    assert found == (finish, blocked, text, tokens_in)


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
def test_errors_that_may_pass(provider, server, kind, expected):
    error = provider.failing(server, Fault(kind))
    assert isinstance(error, TransientError)
    assert (error.kind, error.retry_after) == (expected, None)
    assert len(server.calls) == 1, "the SDK itself asks once"


def test_a_server_that_hangs(provider, server):
    assert provider.failing(server, Fault("hang"), limits={"timeout_s": 0.3}).kind == "timeout"


def test_a_server_that_is_not_there(provider):
    class Nowhere:
        url = "http://127.0.0.1:9"
        faults = ()

    assert provider.failing(Nowhere()).kind == "connection"


@pytest.mark.parametrize("asked", [7, 7.5])
def test_the_wait_that_is_asked_for(provider, server, asked):
    assert provider.failing(server, Fault("429", retry_after=asked)).retry_after == asked


def test_the_wait_of_a_header():
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
        ("too-long", r"too long .*(maximum context length is 10|input token count).*; shorten the prompt"),
        (
            "bad-request",
            r"refuses a request .*(Only 1 is supported|thinking_budget).*; change the settings in config/llms",
        ),
        ("no-quota", r"quota is used up .*; add credit or wait for the next day"),
    ],
)
def test_errors_that_will_not_pass(provider, server, kind, remedy):
    error = provider.failing(server, Fault(kind))
    assert type(error) is ProviderError
    assert re.search(remedy, str(error))


def test_a_broken_address(provider, server):
    error = provider.failing(server, base_url="ftp://x")
    assert type(error) is ProviderError
    assert str(error).endswith("; check base_url in config/llms")


def test_the_key_is_in_no_log_and_no_repr(provider, server, caplog):
    caplog.set_level(logging.DEBUG)
    server.faults = [Fault("bad-key", match="bad")]

    async def work(client):
        await client.ask(request("good"))
        with pytest.raises(ProviderError):
            await client.ask(request("bad"))
        assert KEY not in repr(client) + str(client)

    provider.use(server, work)
    assert caplog.records, "something was logged, or this tests nothing"
    assert KEY not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("google") and record.levelno > 10]


def test_a_batch_from_submission_to_answers(provider, server, tmp_path):
    server.batch_polls = 2
    texts = [f"question {number} of a batch" for number in range(5)]
    batch, states, found, answers, _ = provider.submitted(server, tmp_path, texts)
    server.batch_polls = 1
    assert states == ["running", "done"]
    assert found == (batch, None)
    assert {key: answer.text for key, answer in answers.items()} == {
        f"key-{text}": f"Here is what I know about: {text}" for text in texts
    }
    live = provider.ask(server, request(texts[0]))
    assert answers[f"key-{texts[0]}"] == live, "a batch says what a live call says"


def test_a_batch_is_found_behind_the_first_page(provider, server, tmp_path):
    server.page = 1
    provider.submitted(server, tmp_path, ["first"], "first-name")
    for number in range(3):
        provider.submitted(server, tmp_path, [f"later {number}"], f"later-{number}")
    found = provider.use(server, lambda client: client.find_batch("first-name"))
    server.page = 20
    assert server.batches[found.removeprefix("batches/")]["name"] == "first-name"


def test_lines_that_failed(provider, server, tmp_path):
    faults = {"two": "line-error", "three": provider.block, "four": "empty"}
    server.faults = [Fault(kind, match=text) for text, kind in faults.items()]
    _, _, _, answers, _ = provider.submitted(server, tmp_path, ["one", *faults], "lines")
    assert (type(answers["key-two"]), answers["key-two"].kind) == (TransientError, "server")
    assert (type(answers["key-four"]), answers["key-four"].kind) == (TransientError, "malformed")
    assert answers["key-three"].blocked == provider.block
    assert answers["key-one"].finish_reason == "stop"


def test_a_batch_that_failed_says_why(provider, server, tmp_path):
    server.faults = [Fault("batch-failed", match="wrong")]
    _, states, _, answers, why = provider.submitted(server, tmp_path, ["wrong"], "wrong")
    assert (states[-1], answers, why) == ("failed", {}, "Line 1 is not valid.")
