"""Addresses, names of variables and sampling of language models."""

import pytest

from synthrank.config.base import validate
from synthrank.config.llms import LlmSpec
from synthrank.errors import ConfigError

PRICE = {"listed": "2026-01-01", "input": 1, "cached_input": 1, "output": 1}
HOSTED = {"backend": "openai", "model": "m", "key_variable": "A_KEY", "price": PRICE}


@pytest.mark.parametrize(
    "url",
    ["", " ", "localhost:8000/v1", "user:pass-word@host/v1", "ftp://host", "http://", "http://:8000/v1",
     "http://host:port/v1", "http://host/v1?key=pass-word", "http://host/v1#pass-word", "http://a b/v1", "http:///v1"],
)  # fmt: skip
def test_an_invalid_base_url_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigError, match="base_url: expected an address such as http://localhost:8000/v1") as caught:
        validate(LlmSpec, {**HOSTED, "base_url": url}, "llm")
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "sk-pass-word", "AIzaPassWord_0", "A KEY", "1KEY", "MY_KEY\n"])
def test_a_key_in_place_of_its_variable_is_refused_without_repeating_it(name):
    with pytest.raises(ConfigError, match="key_variable: expected the name of an environment variable") as caught:
        validate(LlmSpec, {**HOSTED, "key_variable": name}, "llm")
    assert not name.strip() or name.strip() not in str(caught.value)


@pytest.mark.parametrize("key", ["temperature", "top_p"])
def test_a_local_model_needs_sampling_numbers(key):
    validate(LlmSpec, {**HOSTED, "sampling": {key: None}}, "llm")
    with pytest.raises(ConfigError, match="temperature and top_p of a local model must be numbers"):
        validate(LlmSpec, {"backend": "local", "model": "m", "sampling": {key: None}}, "llm")
