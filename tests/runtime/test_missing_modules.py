"""A step in an environment without a required module ends with a one-line error that names the fix."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from synthrank.cli import run
from synthrank.runtime.missing_modules import STEPS, explain_missing, stage_of

ROOT = Path(__file__).resolve().parents[2]
STAGES = sorted(path.stem for path in (ROOT / "envs").glob("*.yaml"))


def rules_of(stage: str) -> list[str]:
    return re.findall(r"^ *rule (\w+):", (ROOT / f"rules/{stage}.smk").read_text(encoding="utf-8"), re.MULTILINE)


def bare(step: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step with an interpreter that can import only the standard library and synthrank."""
    return subprocess.run(
        [sys.executable, "-S", ROOT / "scripts/step.py", step],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_step_without_its_packages_names_the_module_and_the_environment(stage, monkeypatch):
    monkeypatch.delenv("SYNTHRANK_DEBUG", raising=False)
    step = rules_of(stage)[0]
    done = bare(step)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {step}: no module ")
    assert f" in {sys.base_prefix}; envs/{stage}.yaml lists " in line
    assert f"--sdm conda, or pip install '.[{stage}]' there" in line


def test_a_missing_module_with_debug_set_shows_the_traceback():
    done = bare("make_tables", SYNTHRANK_DEBUG="1")
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: make_tables: no module ")


def test_an_unknown_step_is_a_one_line_error():
    done = bare("make_tabels")
    assert done.returncode == 1
    assert done.stderr == "error: make_tabels: no such step in src/synthrank/steps\n"


def test_every_step_has_a_unique_module_name():
    """``stage_of`` uses only the name, because the step cannot be imported."""
    for stage in STAGES:
        for step in rules_of(stage):
            assert [path.parent.name for path in STEPS.glob(f"*/{step}.py")] == [stage] == [stage_of(step)]


def test_a_module_missing_while_a_step_runs_gives_the_same_error(capsys, monkeypatch):
    def make_tables() -> None:
        import no_such_module  # noqa: F401

    monkeypatch.delenv("SYNTHRANK_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        run(make_tables, [])
    assert str(ended.value.code).startswith(f"error: make_tables: no module no_such_module in {sys.prefix}; ")
    assert "envs/tables.yaml" in str(ended.value.code)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("SYNTHRANK_DEBUG", "1")
    with pytest.raises(SystemExit):
        run(make_tables, [])
    assert "Traceback" in capsys.readouterr().err


def test_a_missing_module_of_synthrank_does_not_blame_the_environment(capsys):
    def make_tables() -> None:
        import synthrank.no_such_module  # noqa: F401

    with pytest.raises(SystemExit) as ended:
        run(make_tables, [])
    assert ended.value.code == "error: make_tables: ModuleNotFoundError: No module named 'synthrank.no_such_module'"
    assert "Traceback" in capsys.readouterr().err


def test_explain_missing_of_an_unknown_step_returns_nothing():
    assert explain_missing(ModuleNotFoundError("No module named 'x'", name="x"), "no_such_step") is None
