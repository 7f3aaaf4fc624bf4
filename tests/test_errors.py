"""A message stays one readable line, whatever value it quotes."""

import pytest

from synthrank.errors import LONGEST, ConfigError, ProviderError, TransientError


def test_the_middle_of_an_endless_word_is_left_out():
    error = ConfigError(f"config/a.yaml:3: unknown key {'9' * 5000!r}; remove it\nconfig/a.yaml:4: short")
    long, short = str(error).split("\n")
    assert short == "config/a.yaml:4: short"
    assert long.startswith("config/a.yaml:3: unknown key '999")
    assert "9…9" in long
    assert long.endswith("99'; remove it")
    assert len(long) < LONGEST


@pytest.mark.parametrize("message", ["", f"{'folder/' * 100}a.yaml: absent", "known: " + ", ".join(["ranker"] * 500)])
def test_paths_and_lists_stay_unchanged(message):
    assert str(ConfigError(message)) == message


def test_errors_of_providers_keep_their_attributes():
    error = TransientError("the server says " + "y" * 2000, "timeout", 3.0)
    assert (error.kind, error.retry_after, error.may_be_billed) == ("timeout", 3.0, True)
    assert len(str(error)) < LONGEST
    assert ProviderError("no", of_request=True).of_request
