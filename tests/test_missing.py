"""An environment without a module that a step needs ends the job with one line that says what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from synthrank.cli import run
from synthrank.missing import PACKAGE, missing

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
STAGES = sorted(path.stem for path in (ROOT / "envs").glob("*.yaml"))


def stage_of(script: Path) -> str:
    (module,) = (path for stage in STAGES for path in (PACKAGE / stage).glob(script.name))
    return module.parent.name


def bare(script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script by an interpreter that sees the standard library and the package alone."""
    return subprocess.run(
        [sys.executable, "-S", script],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_script_in_a_bare_environment_says_what_is_missing_and_where(stage, monkeypatch):
    monkeypatch.delenv("SYNTHRANK_DEBUG", raising=False)
    script = next(path for path in SCRIPTS if stage_of(path) == stage)
    done = bare(script)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {script.stem}: no module ")
    assert f" in {sys.base_prefix}; envs/{stage}.yaml lists " in line
    assert f"--sdm conda, or pip install '.[{stage}]' there" in line


def test_the_traceback_is_shown_on_demand():
    done = bare(SCRIPTS[0], SYNTHRANK_DEBUG="1")
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"error: {SCRIPTS[0].stem}: no module ")


def test_any_other_error_of_an_import_keeps_its_traceback(tmp_path):
    script = tmp_path / "make_tables.py"
    script.write_text("from synthrank.cli import run\nraise ValueError('x')\n")
    done = bare(script)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.splitlines()[-1] == "ValueError: x"


def test_the_name_of_a_step_is_the_name_of_no_other_module_of_a_package():
    """The environment is found by the name alone, before anything of the step could be imported."""
    found = {script.stem: [path.parent.name for path in PACKAGE.glob(f"*/{script.name}")] for script in SCRIPTS}
    assert found == {script.stem: [stage_of(script)] for script in SCRIPTS}


def test_a_module_that_a_step_imports_as_it_works_is_answered_alike(capsys, monkeypatch):
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


def test_a_module_of_the_package_itself_is_no_matter_of_an_environment(capsys):
    def make_tables() -> None:
        import synthrank.no_such_module  # noqa: F401

    with pytest.raises(SystemExit) as ended:
        run(make_tables, [])
    assert ended.value.code == "error: make_tables: ModuleNotFoundError: No module named 'synthrank.no_such_module'"
    assert "Traceback" in capsys.readouterr().err


def test_a_step_that_no_stage_has_is_not_answered_for():
    assert missing(ModuleNotFoundError("No module named 'x'", name="x"), "no_such_step") is None
