"""What OpenAI's interface has of its own: bodies, and lines of results."""

from provider_clients import OPENAI
from provider_server import Fault
from provider_specs import KEY

from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer
from synthrank.records import Message, Request


def test_what_is_sent(server):
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


def test_an_older_servers_word_for_the_limit(server):
    OPENAI.ask(server, token_limit_key="max_tokens")
    assert server.calls[0].body["max_tokens"] == 64
    assert "max_completion_tokens" not in server.calls[0].body


def test_a_batch_that_expired_keeps_its_answers(server, tmp_path):
    server.faults = [Fault("batch-expired", match="slow")]
    _, states, _, answers, _ = OPENAI.submitted(server, tmp_path, ["slow 1", "slow 2"], "slow")
    assert states[-1] == "expired"
    assert isinstance(answers["key-slow 1"], Answer)
    assert isinstance(answers["key-slow 2"], TransientError)


def test_a_result_line_of_an_unknown_form(server):
    lines = ({}, {"custom_id": "k", "response": {"status_code": 200}})
    (nobody, first), (key, second) = OPENAI.use(server, lambda client: [client.read_line(line) for line in lines])
    assert (nobody, key) == ("", "k")
    assert first.kind == second.kind == "malformed"


def test_a_result_line_that_says_the_key_is_wrong(server):
    body = {"error": {"code": "invalid_api_key", "message": f"no {KEY}"}}
    line = {"custom_id": "k", "response": {"status_code": 401, "body": body}, "error": None}
    _, error = OPENAI.use(server, lambda client: client.read_line(line))
    assert type(error) is ProviderError
    assert KEY not in str(error)
