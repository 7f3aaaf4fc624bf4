"""Command line of a step: options from its signature, errors on one line."""

from pathlib import Path

import pytest

from synthrank.cli import run
from synthrank.errors import DataError


@pytest.fixture
def call():
    """Return a function that runs a step and returns the values it received."""
    given = []

    def step(*, queries: list[Path], seed: int, testset_name: str = "x", share: float = 0.5) -> None:
        """Do nothing.

        Args:
            queries: the queries.
            seed: the seed.
            testset_name: a name.
            share: a share.
        """
        given.append((queries, seed, testset_name, share))

    def do(*arguments):
        run(step, list(arguments))
        return given[-1]

    return do


def test_run_converts_options_to_annotated_types(call):
    assert call("--queries", "a b", "c", "--seed", "7", "--testset-name", "NA", "--share", "1") == (
        [Path("a b"), Path("c")],
        7,
        "NA",
        1.0,
    )


def test_run_keeps_digits_as_text_and_uses_defaults(call):
    assert call("--queries", "a", "--seed", "1", "--testset-name", "007")[2:] == ("007", 0.5)


def test_run_accepts_a_list_option_without_values(call):
    """A rule passes `--excluded {input.excluded:q}` even if the list is empty."""
    assert call("--queries", "--seed", "1")[0] == []
    assert call("--seed", "1", "--queries")[0] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--queries", "a"],
        ["--seed", "1"],
        ["--queries", "a", "--seed", "one"],
        ["--queries", "a", "--seed", "1", "--sead", "2"],
        ["--queries", "a", "--seed", "1", "--no-queries"],
        ["a", "--queries", "--seed", "1"],
    ],
)
def test_run_refuses_invalid_options(call, arguments):
    with pytest.raises(SystemExit) as ended:
        call(*arguments)
    assert ended.value.code not in (0, None)


def test_run_prints_an_expected_error_on_one_line(capsys, monkeypatch):
    def step(*, name: str) -> None:
        raise DataError(f"{name}: is wrong; fix it")

    monkeypatch.delenv("SYNTHRANK_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        run(step, ["--name", "x.jsonl"])
    assert ended.value.code == "error: x.jsonl: is wrong; fix it"
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("SYNTHRANK_DEBUG", "1")
    with pytest.raises(SystemExit):
        run(step, ["--name", "x.jsonl"])
    assert "Traceback" in capsys.readouterr().err


def test_run_prints_the_traceback_of_an_unexpected_error(capsys):
    def step() -> None:
        raise KeyError("lost")

    with pytest.raises(SystemExit) as ended:
        run(step, [])
    assert ended.value.code == "error: step: KeyError: 'lost'"
    assert "Traceback" in capsys.readouterr().err


def test_run_names_the_file_if_the_disk_is_full(capsys):
    def step() -> None:
        raise OSError(28, "No space left on device", "results/x")

    with pytest.raises(SystemExit) as ended:
        run(step, [])
    assert ended.value.code == "error: results/x: No space left on device; check free space and permissions"
    assert "Traceback" in capsys.readouterr().err
