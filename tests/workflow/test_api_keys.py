"""The check of API keys before the first job."""

import pytest
from provider_specs import gemini_spec, openai_spec

from synthrank.config.llms import EchoLlm
from synthrank.data.records import Message, Reply
from synthrank.errors import ConfigError
from synthrank.llms.store.store import ReplyStore, folder_of
from synthrank.runtime.environment import STORE
from synthrank.workflow.api_keys import check_keys

OPEN = openai_spec("http://a")
LLMS = {
    "gpt": OPEN.model_copy(update={"key_variable": "FIRST_KEY"}),
    "gpt-warm": OPEN.model_copy(update={"key_variable": "FIRST_KEY"}),
    "gemini": gemini_spec("http://a").model_copy(update={"key_variable": "SECOND_KEY"}),
    "echo": EchoLlm(backend="echo"),
}


@pytest.fixture(autouse=True)
def without_keys(monkeypatch, tmp_path):
    monkeypatch.setenv(STORE, str(tmp_path))
    monkeypatch.delenv("FIRST_KEY", raising=False)
    monkeypatch.setenv("SECOND_KEY", " ")


def test_check_keys_names_each_missing_variable_once():
    with pytest.raises(ConfigError) as caught:
        check_keys(["gpt-warm", "echo", "gemini", "gpt", "gpt"], LLMS)
    assert str(caught.value).splitlines() == [
        f"{variable} is not set (needed by config/llms/{name}.yaml); run: export {variable}=YOUR_KEY (for a server "
        "without authentication, any value)"
        for variable, name in (("SECOND_KEY", "gemini"), ("FIRST_KEY", "gpt"))
    ]


def test_check_keys_accepts_set_keys_and_local_models(monkeypatch):
    monkeypatch.setenv("FIRST_KEY", "k")
    check_keys(["gpt", "gpt-warm", "echo"], LLMS)
    check_keys([], LLMS)


def test_check_keys_accepts_an_llm_with_stored_replies(tmp_path):
    reply = Reply("q", "a query", 0, "text", "stop", 1, 1, OPEN.model, {}, (Message("user", "a"),), key="0" * 64)
    with ReplyStore(folder_of(tmp_path, OPEN.model)) as store:
        store.add(reply)
    check_keys(["gpt"], LLMS)
