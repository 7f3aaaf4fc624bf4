"""The real SDK against the test server, over a socket."""

import asyncio
import json
import logging
import re

import pytest
from google.genai import types
from provider_server import Fault, ProviderServer
from provider_specs import KEY, gemini_spec, request

from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer
from synthrank.llms.gemini_client import GeminiClient
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
        client = GeminiClient(gemini_spec(server.url, **changes), KEY)
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
    assert message.startswith("gemini-2.5-flash: ")
    assert KEY not in message + repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_an_answer_with_all_that_it_took(server):
    assert ask(server) == Answer(
        text="Here is what I know about: why do bees dance", finish_reason="stop", snapshot="gemini-2.5-flash-001",
        tokens_in=7, tokens_out=10, tokens_cached=3)  # fmt: skip


def test_thoughts_are_paid_and_not_read(server):
    answer = ask(server, thinking_budget=100)
    assert answer.tokens_out == 10 + 5
    assert "Hm." not in answer.text
    assert server.calls[0].body["generationConfig"]["maxOutputTokens"] == 64 + 100, "thoughts count against the limit"


def test_what_is_sent_live_and_by_batch_is_the_same(server):
    turns = (Message("system", "Be brief."), Message("user", "one"), Message("assistant", "1"), Message("user", "two"))
    asked = Request("q", "two", turns)
    ask(server, asked)
    (call,) = server.calls
    seed = call.body["generationConfig"]["seed"]
    assert 0 <= seed < 2**31
    assert call.headers["x-goog-api-key"] == KEY
    line = use(server, lambda client: _now(client.batch_line("k", asked)))
    assert line == {"key": "k", "request": {
        "contents": [{"role": "user", "parts": [{"text": "one"}]}, {"role": "model", "parts": [{"text": "1"}]},
                     {"role": "user", "parts": [{"text": "two"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"temperature": 0.7, "topP": 0.9, "maxOutputTokens": 64, "seed": seed,
                             "thinkingConfig": {"thinkingBudget": 0}}}}  # fmt: skip
    for part in ("contents", "generationConfig", "systemInstruction"):
        read = {"contents": types.Content, "generationConfig": types.GenerationConfig}.get(part, types.Content)
        sent, written = call.body[part], line["request"][part]
        for one, other in zip(*(([it] if isinstance(it, dict) else it) for it in (sent, written)), strict=True):
            first, second = (read.model_validate(it).model_dump(exclude_none=True) for it in (one, other))
            assert {**first, "role": None} == {**second, "role": None}


async def _now(value):
    return value


def test_samples_have_seeds_of_their_own(server):
    for sample in (0, 0, 1):
        ask(server, request(sample=sample))
    first, again, other = (call.body["generationConfig"]["seed"] for call in server.calls)
    assert first == again != other


@pytest.mark.parametrize(
    ("kind", "finish", "blocked", "text"),
    [
        ("length", "length", "", "Here is what"),
        ("SAFETY", "blocked", "SAFETY", ""),
        ("RECITATION", "blocked", "RECITATION", ""),
        ("PROHIBITED_CONTENT", "blocked", "PROHIBITED_CONTENT", ""),
        ("prompt-block", "blocked", "SAFETY", ""),
    ],
)
def test_cuts_and_blocks_are_answers(server, kind, finish, blocked, text):
    server.faults = [Fault("MAX_TOKENS" if kind == "length" else kind)]
    answer = ask(server)
    assert (answer.finish_reason, answer.blocked, answer.text, answer.tokens_in) == (finish, blocked, text, 7)


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
    assert failing(server, Fault("hang"), limits={"timeout_s": 0.3}).kind == "timeout"


def test_the_wait_that_the_body_asks_for(server):
    assert failing(server, Fault("429", retry_after=7.5)).retry_after == 7.5


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        ("bad-key", r"rejects the key .*\[key\].*; check environment variable SYNTHRANK_TEST_KEY$"),
        ("no-model", r"does not know it .*; check model and base_url in config/llms$"),
        ("too-long", r"too long .*input token count.*; shorten the prompt"),
        ("bad-request", r"refuses a request .*thinking_budget.*; change the settings in config/llms"),
        ("no-quota", r"quota is used up .*; add credit or wait for the next day"),
    ],
)
def test_errors_that_will_not_pass(server, kind, remedy):
    error = failing(server, Fault(kind))
    assert type(error) is ProviderError
    assert re.search(remedy, str(error))


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
    assert not [record for record in caplog.records if record.name.startswith("google") and record.levelno > 10]


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
    assert server.batches[found.removeprefix("batches/")]["name"] == "first-name"


def test_lines_that_failed(server, tmp_path):
    server.faults = [Fault("line-error", match="two"), Fault("SAFETY", match="three"), Fault("empty", match="four")]
    _, _, _, answers, _ = submitted(server, tmp_path, ["one", "two", "three", "four"], "lines")
    assert (type(answers["key-two"]), answers["key-two"].kind) == (TransientError, "server")
    assert (type(answers["key-four"]), answers["key-four"].kind) == (TransientError, "malformed")
    assert answers["key-three"].blocked == "SAFETY"
    assert answers["key-one"].finish_reason == "stop"


def test_batches_that_end_early(server, tmp_path):
    server.faults = [Fault("batch-expired", match="slow")]
    _, states, _, answers, _ = submitted(server, tmp_path, ["slow 1", "slow 2"], "slow")
    assert (states[-1], answers) == ("expired", {})
    server.faults = [Fault("batch-failed", match="wrong")]
    _, states, _, answers, why = submitted(server, tmp_path, ["wrong"], "wrong")
    assert (states[-1], answers, why) == ("failed", {}, "Line 1 is not valid.")


def test_result_lines_of_other_forms(server):
    lines = [
        {},
        {"key": "k", "response": {"candidates": "none"}},
        {"key": "k", "error": {"code": 16, "message": f"no {KEY}"}},
        {"key": "k", "error": {"code": 8, "message": "busy"}},
    ]
    answers = use(server, lambda client: _now([client.read_line(line) for line in lines]))
    assert [key for key, _ in answers] == ["", "k", "k", "k"]
    assert [getattr(error, "kind", None) for _, error in answers] == ["malformed", "malformed", None, "rate"]
    assert KEY not in str(answers)
