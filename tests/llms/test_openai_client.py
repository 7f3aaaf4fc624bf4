"""Properties of OpenAI's API only: bodies and result lines."""

from provider_clients import OPENAI
from provider_server import Fault
from provider_specs import KEY

from synthrank.data.records import Message, Request
from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer


def test_openai_sends_messages_and_sampling(server):
    turns = (Message("system", "Be brief."), Message("user", "one"), Message("assistant", "1"), Message("user", "two"))
    OPENAI.ask(server, Request("q", "two", turns))
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


def test_openai_sends_the_configured_token_limit_key(server):
    OPENAI.ask(server, token_limit_key="max_tokens")
    assert server.calls[0].body["max_tokens"] == 64
    assert "max_completion_tokens" not in server.calls[0].body


def test_an_expired_openai_batch_keeps_its_answers(server, tmp_path):
    server.faults = [Fault("batch-expired", match="slow")]
    _, states, _, answers, _ = OPENAI.submitted(server, tmp_path, ["slow 1", "slow 2"], "slow")
    assert states[-1] == "expired"
    assert isinstance(answers["key-slow 1"], Answer)
    assert isinstance(answers["key-slow 2"], TransientError)


def test_openai_reads_an_unknown_result_line_as_malformed(server):
    lines = ({}, {"custom_id": "k", "response": {"status_code": 200}})
    (missing, first), (key, second) = OPENAI.use(server, lambda client: [client.read_line(line) for line in lines])
    assert (missing, key) == ("", "k")
    assert first.kind == second.kind == "malformed"


def test_openai_reads_a_result_line_about_a_wrong_key(server):
    body = {"error": {"code": "invalid_api_key", "message": f"no {KEY}"}}
    line = {"custom_id": "k", "response": {"status_code": 401, "body": body}, "error": None}
    _, error = OPENAI.use(server, lambda client: client.read_line(line))
    assert type(error) is ProviderError
    assert KEY not in str(error)
