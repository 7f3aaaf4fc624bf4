"""The batch engine with both providers' SDKs over a socket."""

import os
import signal
from datetime import date

import pytest
from provider_server import Fault, ProviderServer

from synthrank.config.llms import Batch, GeminiLlm, Limits, OpenAiLlm, Price
from synthrank.data.records import Message, Request
from synthrank.errors import ProviderError
from synthrank.llms.base import request_key
from synthrank.llms.batch.engine import run_batches
from synthrank.llms.gemini_client import GeminiClient
from synthrank.llms.openai_client import OpenAiClient

PATHS = ["/v1/files", "/v1/batches", "/upload/v1beta", ":batchGenerateContent", "/v1beta/batches", ":download"]
"""Paths of the calls for a batch by both SDKs, except Gemini's upload, whose path varies."""

KEY = "sk-SECRET-PLANTED"
WORDS = ["bees", "ants", "cats", "dogs", "eels", "frogs", "gnus", "hens"]


def question(word):
    return f"why do {word} dance"


REQUESTS = {
    request_key({}, request): request
    for request in [Request(f"q-{word}", question(word), (Message("user", question(word)),)) for word in WORDS]
}


@pytest.fixture(params=["openai", "gemini"])
def wire(request):
    """Return a function that makes the provider's spec and a new client for a server."""

    def make(server, **batch):
        common = {
            "backend": request.param,
            "model": "gpt-4.1-mini" if request.param == "openai" else "gemini-2.5-flash",
            "key_variable": "NONE",
            "mode": "batch",
            "base_url": server.url + ("/v1" if request.param == "openai" else ""),
            "limits": Limits(attempts=4, longest_wait_s=0.01, timeout_s=5),
            "batch": Batch(poll_s=0.005, **batch),
            "price": Price(listed=date(2026, 1, 1), input=1, cached_input=1, output=1),
        }
        if request.param == "openai":
            spec = OpenAiLlm(**common)
            return OpenAiClient(spec, KEY), spec
        spec = GeminiLlm(thinking_budget=0, **common)
        return GeminiClient(spec, KEY), spec

    return make


def ask(made, folder, requests=REQUESTS):
    """Return the answered words, and the error at the end or an empty text."""
    words = []
    try:
        for key, request, answer in run_batches(*made, requests, folder):
            assert REQUESTS[key] == request
            assert answer.text
            assert answer.tokens_in > 0
            words.append(request.query_id[2:])
    except ProviderError as error:
        return words, str(error)
    return words, ""


def asks(server):
    """Return the number of requests per word, without words that were requested once."""
    return {word: count for word in WORDS if (count := server.asked[question(word)]) != 1}


def test_run_batches_answers_several_batches_with_one_request_each(wire, tmp_path):
    with ProviderServer(batch_polls=3) as server:
        words, error = ask(wire(server, lines=3), tmp_path)
        assert (sorted(words), error) == (sorted(WORDS), "")
        assert asks(server) == {}
        assert sorted(batch["lines"] for batch in server.batches.values()) == [2, 3, 3]


@pytest.mark.parametrize("kind", ["line-missing", "line-broken", "line-error", "empty"])
def test_run_batches_repeats_only_invalid_lines(kind, wire, tmp_path):
    with ProviderServer([Fault(kind, match="cats", last=2), Fault("line-duplicate", match="dogs")]) as server:
        words, error = ask(wire(server), tmp_path)
        assert (sorted(words), error) == (sorted(WORDS), "")
        assert asks(server) == {"cats": 3}
        assert [batch["lines"] for batch in server.batches.values()] == [8, 1, 1]


def test_a_reply_without_token_counts_is_an_answer(wire, tmp_path):
    with ProviderServer([Fault("no-usage", match="cats")]) as server:
        counted = {r.query_id: a.counted for _, r, a in run_batches(*wire(server), REQUESTS, tmp_path)}
        assert [name for name, known in counted.items() if not known] == ["q-cats"]
        assert len(counted) == len(REQUESTS)
        assert asks(server) == {}


def test_a_blocked_reply_is_an_answer(wire, tmp_path):
    kind = "SAFETY" if wire(ProviderServer())[1].backend == "gemini" else "content_filter"
    with ProviderServer([Fault(kind, match="cats")]) as server:
        made = wire(server)
        blocked = [(r.query_id, a.finish_reason) for _, r, a in run_batches(*made, REQUESTS, tmp_path) if a.blocked]
        assert blocked == [("q-cats", "blocked")]
        assert asks(server) == {}


def test_unanswered_requests_of_an_expired_batch_are_repeated(wire, tmp_path):
    with ProviderServer([Fault("batch-expired", match="bees")]) as server:
        words, error = ask(wire(server), tmp_path)
        assert (sorted(words), error) == (sorted(WORDS), "")
        # OpenAI returns the answers before the end, Gemini none.
        assert [batch["lines"] for batch in server.batches.values()] in ([8, 4], [8, 8])


def test_a_failed_batch_is_submitted_again(wire, tmp_path):
    with ProviderServer([Fault("batch-failed", match="bees", last=2)]) as server:
        words, error = ask(wire(server), tmp_path)
        assert (sorted(words), error) == (sorted(WORDS), "")
        assert len(server.batches) == 3


def test_a_repeatedly_failing_batch_is_an_error_with_the_providers_message(wire, tmp_path):
    with ProviderServer([Fault("batch-failed", match="bees", last=99)]) as server:
        words, error = ask(wire(server), tmp_path)
        assert words == []
        assert "8 requests have no answer" in error
        assert "Line 1 is not valid." in error
        assert len(server.batches) == 4


def test_a_cancelled_batch_is_an_error(wire, tmp_path):
    with ProviderServer([Fault("batch-cancelled", match="bees"), Fault("line-missing", match="cats")]) as server:
        words, error = ask(wire(server), tmp_path)
        assert sorted(words) == sorted(set(WORDS) - {"cats"})
        assert "was cancelled at the provider with 1 requests unanswered" in error
        assert "run again" in error


@pytest.mark.parametrize("kind", ["429", "503", "reset", "malformed", "lost"])
def test_retried_calls_submit_a_batch_once(kind, wire, tmp_path):
    """The first call of every path fails, including uploads, lists and downloads."""
    with ProviderServer([Fault(kind, path=path) for path in PATHS]) as server:
        words, error = ask(wire(server), tmp_path)
        assert (sorted(words), error) == (sorted(WORDS), "")
        assert asks(server) == {}
        assert len(server.batches) == 1


def test_the_error_for_a_rejected_key_does_not_contain_it(wire, tmp_path):
    with ProviderServer([Fault("bad-key", last=99)]) as server:
        words, error = ask(wire(server), tmp_path)
        assert words == []
        assert "8 requests were not submitted" in error
        assert KEY not in error
        assert not any(KEY in path.read_text() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("call", ["submit_batch", "poll_batch", "download_batch"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_a_call_repeats_no_paid_request(call, moment, wire, tmp_path):
    with ProviderServer(batch_polls=2, page=1) as server:
        pid = os.fork()
        if not pid:
            client, spec = wire(server, lines=5)
            original = getattr(client, call)

            async def killed(*arguments):
                if moment == "after":
                    await original(*arguments)
                os.kill(os.getpid(), signal.SIGKILL)

            setattr(client, call, killed)
            try:
                ask((client, spec), tmp_path)
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        assert status == signal.SIGKILL
        words, error = ask(wire(server, lines=5), tmp_path)
        assert (sorted(words), error) == (sorted(WORDS), "")
        assert asks(server) == {}
        assert sorted(batch["lines"] for batch in server.batches.values()) == [3, 5]
        assert {path.name for path in tmp_path.iterdir()} == {"done"}
