"""Both providers' clients have the same answers, errors and batches."""

import logging
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from provider_clients import GEMINI, OPENAI
from provider_server import Fault, ProviderServer
from provider_specs import KEY, request

from synthrank.config.llms import Sampling
from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer
from synthrank.llms.http_errors import retry_after


@pytest.fixture(params=[OPENAI, GEMINI], ids=["openai", "gemini"])
def provider(request):
    return request.param


def test_ask_returns_text_snapshot_and_tokens(provider, server):
    assert provider.ask(server) == Answer(
        text="Here is what I know about: why do bees dance", finish_reason="stop", snapshot=provider.snapshot,
        tokens_in=7, tokens_out=10, tokens_cached=3)  # fmt: skip


def test_seeds_differ_per_sample_and_repeat_per_request(provider, server):
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
def test_cut_and_blocked_replies_are_answers(provider, server, kind, finish, blocked, text, tokens_in):
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
        ("reset", "lost"),
        ("lost", "lost"),
        ("malformed", "malformed"),
        ("empty", "malformed"),
    ],
)
def test_transient_errors_have_a_kind(provider, server, kind, expected):
    error = provider.failing(server, Fault(kind))
    assert isinstance(error, TransientError)
    assert (error.kind, error.retry_after) == (expected, None)
    assert len(server.calls) == 1, "the SDK does not retry"


def test_an_answer_without_token_counts_is_kept(provider, server):
    server.faults = [Fault("no-usage")]
    answer = provider.ask(server)
    assert (answer.text, answer.counted) == ("Here is what I know about: why do bees dance", False)


def test_a_hanging_server_is_a_timeout(provider, server):
    assert provider.failing(server, Fault("hang"), limits={"timeout_s": 0.3}).kind == "timeout"


def test_a_missing_server_is_a_connection_error(provider):
    class Nowhere:
        url = "http://127.0.0.1:9"
        faults = ()

    assert provider.failing(Nowhere()).kind == "connection"


@pytest.mark.parametrize("asked", [7, 7.5])
def test_a_429_carries_its_retry_after(provider, server, asked):
    assert provider.failing(server, Fault("429", retry_after=asked)).retry_after == asked


def test_retry_after_reads_seconds_milliseconds_and_dates():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    assert retry_after({"retry-after": later}) == pytest.approx(30, abs=5)
    assert retry_after({"retry-after-ms": "1500", "retry-after": "2"}) == 1.5
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "-1"}) is None


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("bad-key", r"rejects the key .*\[key\].*; check environment variable SYNTHRANK_TEST_KEY$"),
        ("no-model", r"not found on the server .*; check model and base_url in config/llms$"),
        ("too-long", r"too long .*(maximum context length is 10|input token count).*; shorten the prompt"),
        (
            "bad-request",
            r"refuses a request .*(Only 1 is supported|thinking_budget).*; change the settings in config/llms",
        ),
        ("no-quota", r"quota is used up .*; add credit or wait for the next day"),
    ],
)
def test_permanent_errors_name_a_remedy(provider, server, kind, remedy):
    error = provider.failing(server, Fault(kind))
    assert type(error) is ProviderError
    assert re.search(remedy, str(error))


def test_the_key_does_not_follow_a_redirect_to_another_origin(provider, server):
    with ProviderServer() as other:
        server.redirect = other.url
        error = provider.failing(server)
        assert other.count == 0
    assert type(error) is ProviderError
    assert f"the server redirects to {other.url}, where the key is not sent" in str(error)


def test_a_redirect_within_the_origin_is_followed(provider, server):
    server.redirect = server.url
    assert provider.ask(server).finish_reason == "stop"


def test_an_unreachable_proxy_is_named_without_its_password(provider, server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://user:pass-word@127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    error = provider.failing(server)
    assert (type(error), error.kind) == (TransientError, "connection")
    assert "through the proxy HTTP_PROXY=http://127.0.0.1:9" in str(error)
    assert "pass-word" not in str(error)


def test_a_socks_proxy_is_a_permanent_error(provider, server, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://user:pass-word@127.0.0.1:9")
    error = provider.failing(server)
    assert type(error) is ProviderError
    assert "ALL_PROXY=socks5://127.0.0.1:9" in str(error)
    assert "pass-word" not in str(error)


def test_a_password_in_the_address_is_sent_and_not_shown(provider, server, caplog):
    caplog.set_level(logging.DEBUG)
    address = provider.spec(server.url).base_url.replace("://", "://user:pass-word@")
    provider.ask(server, base_url=address)
    assert server.calls[-1].headers["authorization"] == "Basic dXNlcjpwYXNzLXdvcmQ="
    assert "pass-word" not in str(provider.failing(server, Fault("no-model", last=9), base_url=address))
    assert caplog.records
    assert "pass-word" not in caplog.text


def test_settings_that_a_model_refuses_are_left_out(provider, server):
    provider.ask(server, sampling=Sampling(temperature=None, top_p=None, max_new_tokens=64))
    body = server.calls[-1].body
    sent = {**body, **body.get("generationConfig", {})}
    assert not sent.keys() & {"temperature", "top_p", "topP"}


def test_the_key_is_not_logged_or_shown(provider, server, caplog):
    caplog.set_level(logging.DEBUG)
    server.faults = [Fault("bad-key", match="bad")]

    async def work(client):
        await client.ask(request("good"))
        with pytest.raises(ProviderError):
            await client.ask(request("bad"))
        assert KEY not in repr(client) + str(client)

    provider.use(server, work)
    assert caplog.records, "without log records, this test is empty"
    assert KEY not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("google") and record.levelno > 10]


def test_a_batch_returns_the_answers_of_live_calls(provider, server, tmp_path):
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
    assert answers[f"key-{texts[0]}"] == live, "the answer of a batch equals the live answer"


def test_find_batch_reads_all_pages(provider, server, tmp_path):
    server.page = 1
    provider.submitted(server, tmp_path, ["first"], "first-name")
    for number in range(3):
        provider.submitted(server, tmp_path, [f"later {number}"], f"later-{number}")
    found = provider.use(server, lambda client: client.find_batch("first-name"))
    server.page = 20
    assert server.batches[found.removeprefix("batches/")]["name"] == "first-name"


def test_failed_and_blocked_result_lines_are_classified(provider, server, tmp_path):
    faults = {"two": "line-error", "three": provider.block, "four": "empty"}
    server.faults = [Fault(kind, match=text) for text, kind in faults.items()]
    _, _, _, answers, _ = provider.submitted(server, tmp_path, ["one", *faults], "lines")
    assert (type(answers["key-two"]), answers["key-two"].kind) == (TransientError, "server")
    assert (type(answers["key-four"]), answers["key-four"].kind) == (TransientError, "malformed")
    assert answers["key-three"].blocked == provider.block
    assert answers["key-one"].finish_reason == "stop"


def test_a_failed_batch_has_the_providers_reason(provider, server, tmp_path):
    server.faults = [Fault("batch-failed", match="wrong")]
    _, states, _, answers, why = provider.submitted(server, tmp_path, ["wrong"], "wrong")
    assert (states[-1], answers, why) == ("failed", {}, "Line 1 is not valid.")


@pytest.mark.parametrize(
    ("word", "state"),
    [("completed", "done"), ("JOB_STATE_SUCCEEDED", "done"), ("BATCH_STATE_FAILED", "failed"), ("error", "failed"),
     ("canceled", "cancelled"), ("CANCELLED", "cancelled"), ("cancelling", "running"), ("in-progress", "running"),
     ("Expired", "expired"), ("validating", "running"), ("JOB_STATE_PENDING", "running")],
)  # fmt: skip
def test_batch_states_are_read_in_any_spelling(provider, server, word, state):
    assert provider.use(server, lambda client: client.batch_state("b", word)) == state


def test_an_unknown_batch_state_is_a_permanent_error_with_its_word(provider, server):
    with pytest.raises(ProviderError, match="the state 'frozen' of batch b is unknown") as caught:
        provider.use(server, lambda client: client.batch_state("b", "frozen"))
    assert type(caught.value) is ProviderError
    with pytest.raises(TransientError, match="batch b has no state"):
        provider.use(server, lambda client: client.batch_state("b", "JOB_STATE_UNSPECIFIED"))


def test_a_server_without_batches_is_a_permanent_error(provider, server, tmp_path):
    server.faults = [Fault("no-model", last=9)]
    with pytest.raises(ProviderError, match=r"the server has no batches \(404: .*use mode: live in config/llms$"):
        provider.submitted(server, tmp_path, ["one"])
