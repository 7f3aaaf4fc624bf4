"""Snakemake creates every environment under envs/; each contains all modules that its stage's steps import."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conda.reached import ROOT, STAGES, imported_by, looked_for_by, steps_of
from conda.study import TARGETS, make_study
from toy_experiment import snakemake

pytestmark = pytest.mark.conda


@pytest.fixture(scope="module")
def prefixes(conda: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folder of each stage's environment, created by Snakemake; a file next to it describes it."""
    study = make_study(tmp_path_factory.mktemp("environments") / "toy")
    options = ["--sdm", "conda", "--conda-prefix", str(conda), "--conda-create-envs-only", "--cores", "1"]
    snakemake(study, *options, "--", *TARGETS)
    made = {path.read_bytes(): path.with_suffix("") for path in conda.glob("*.yaml")}
    files = {stage: (ROOT / "envs" / f"{stage}.yaml").read_bytes() for stage in STAGES}
    return {stage: made[content] for stage, content in files.items() if content in made}


@pytest.mark.parametrize("stage", STAGES)
def test_snakemake_creates_the_environment(prefixes: dict[str, Path], stage: str) -> None:
    assert prefixes[stage].with_name(f"{prefixes[stage].name}.env_setup_done").is_file()
    assert (prefixes[stage] / "bin" / "python").is_file()


@pytest.mark.parametrize("stage", STAGES)
def test_environment_contains_all_imports_of_steps(prefixes: dict[str, Path], stage: str) -> None:
    steps = steps_of(stage)
    names = imported_by(stage)
    assert steps
    assert {"cyclopts", "pydantic", "yaml"} <= names, "the command line and what it reads were followed"
    looked_for = looked_for_by(stage)
    assert ("pyserini" in looked_for) == (stage == "runs")
    said = ask(prefixes[stage], sorted({*steps, *names}), sorted(looked_for))
    assert not said["failed"]
    assert {*steps, *looked_for} <= set(said["loaded"])
    homes = (f"{prefixes[stage].resolve()}/", f"{ROOT / 'src'}/")
    assert not {name: file for name, file in said["loaded"].items() if not file.startswith(homes)}


def ask(prefix: Path, imported: list[str], looked_for: list[str]) -> dict[str, dict[str, str]]:
    """Return the output of inside.py in an environment; -I ignores PYTHONPATH, user packages and this folder."""
    asked = {"path": str(ROOT / "src"), "imported": imported, "looked_for": looked_for}
    done = subprocess.run(
        [prefix / "bin" / "python", "-I", Path(__file__).with_name("inside.py")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert not done.returncode, done.stderr[-3000:]
    said: dict[str, dict[str, str]] = json.loads(done.stdout)
    return said
