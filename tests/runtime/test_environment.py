"""Environment variables: values, defaults, and that only one module reads them."""

import ast
from pathlib import Path

import pytest

from synthrank.errors import ConfigError
from synthrank.runtime.environment import bar_is_off, budget_usd, data_folder, store_folder, tracebacks

SRC = Path(__file__).resolve().parents[2] / "src"
NAMES = ("STORE", "DATA", "BUDGET_USD", "DEBUG", "PROGRESS")


@pytest.fixture(autouse=True, params=["not set", "empty"])
def unset(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*(f"SYNTHRANK_{name}" for name in NAMES), "CI"):
        if request.param == "empty":
            monkeypatch.setenv(name, "")
        else:
            monkeypatch.delenv(name, raising=False)


def test_unset_variables_give_the_defaults() -> None:
    assert store_folder() == Path("results/store")
    assert store_folder(Path("elsewhere")) == Path("elsewhere/results/store")
    assert data_folder() == Path("data")
    assert budget_usd() is None
    assert not tracebacks()
    assert not bar_is_off()


def test_set_variables_give_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(NAMES, ("/a", "b", " 0 ", "1", "log"), strict=True):
        monkeypatch.setenv(f"SYNTHRANK_{name}", value)
    assert store_folder() == store_folder(Path("project")) == Path("/a")
    assert data_folder() == Path("b")
    assert budget_usd() == 0.0
    assert tracebacks()
    assert bar_is_off()


@pytest.mark.parametrize("value", ["ten", "-1", "nan", "inf", "1,5"])
def test_budget_usd_refuses_an_invalid_amount(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SYNTHRANK_BUDGET_USD", value)
    with pytest.raises(ConfigError, match=f"SYNTHRANK_BUDGET_USD: got '{value}'; expected US dollars, 0 or more"):
        budget_usd()


def test_only_environment_contains_the_names_of_variables() -> None:
    """A string that equals a variable's name reads the variable; descriptions and messages contain more words."""
    found = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for path in SRC.rglob("*.py")
        if path != SRC / "synthrank/runtime/environment.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in {f"SYNTHRANK_{name}" for name in NAMES}
    ]
    assert not found
