"""A step's signature is its command line, and an error is one line."""

from pathlib import Path

import pytest

from synthrank.cli import run
from synthrank.errors import DataError


@pytest.fixture
def call():
    """Return a function that runs a step and returns what it was given."""
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


def test_options_take_the_types_of_the_keywords(call):
    assert call("--queries", "a b", "c", "--seed", "7", "--testset-name", "NA", "--share", "1") == (
        [Path("a b"), Path("c")],
        7,
        "NA",
        1.0,
    )


def test_text_stays_text_and_defaults_stand(call):
    assert call("--queries", "a", "--seed", "1", "--testset-name", "007")[2:] == ("007", 0.5)


def test_an_option_that_takes_a_list_may_be_given_none(call):
    """A rule writes `--held-out {input.held_out:q}` even where there is no held-out split."""
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
def test_wrong_options_end_the_process(call, arguments):
    with pytest.raises(SystemExit) as ended:
        call(*arguments)
    assert ended.value.code not in (0, None)


def test_an_error_that_a_person_can_mend_is_one_line(capsys, monkeypatch):
    def step(*, name: str) -> None:
        raise DataError(f"{name}: is wrong; mend it")

    monkeypatch.delenv("SYNTHRANK_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        run(step, ["--name", "x.jsonl"])
    assert ended.value.code == "error: x.jsonl: is wrong; mend it"
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("SYNTHRANK_DEBUG", "1")
    with pytest.raises(SystemExit):
        run(step, ["--name", "x.jsonl"])
    assert "Traceback" in capsys.readouterr().err


def test_another_error_shows_its_traceback(capsys):
    def step() -> None:
        raise KeyError("lost")

    with pytest.raises(SystemExit) as ended:
        run(step, [])
    assert ended.value.code == "error: step: KeyError: 'lost'"
    assert "Traceback" in capsys.readouterr().err


def test_a_full_disk_names_the_file(capsys):
    def step() -> None:
        raise OSError(28, "No space left on device", "results/x")

    with pytest.raises(SystemExit) as ended:
        run(step, [])
    assert ended.value.code == "error: results/x: No space left on device; free space or rights may be missing"
    assert "Traceback" in capsys.readouterr().err
