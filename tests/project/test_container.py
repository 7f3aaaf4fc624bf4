"""The image of all stages: packages of its Dockerfile, and jobs that run in it."""

import os
import re
import stat
from pathlib import Path

import pytest
import yaml
from toy_experiment import snakemake

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STAGES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "envs").glob("*.yaml")}
APPTAINER = """\
#!/bin/bash
# exec OPTIONS IMAGE SHELL -c COMMAND, on this machine instead of in the image
if [ "$1" = --version ]; then echo "apptainer version 1.4.5"; exit; fi
printf '%s ' "${@: -4:2}" >>"$SEEN"
echo >>"$SEEN"
exec bash -c "${@: -1}"
"""
TARGET = "results/corpora/gardens/train/queries.jsonl"


def test_the_image_holds_the_environments_of_all_stages():
    (extras,) = re.findall(r"pip install '\.\[([\w,]+)\]'", DOCKERFILE)
    assert sorted(extras.split(",")) == sorted([*STAGES, "workflow"])
    (python,) = re.findall(r"^FROM python:([\d.]+)-slim$", DOCKERFILE, re.MULTILINE)
    for stage, environment in STAGES.items():
        assert environment["dependencies"][0] == f"python={python}", stage


def test_dockerignore_keeps_the_files_of_the_image():
    copied = {name for line in re.findall(r"^COPY (.*) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all((ROOT / name).is_file() for name in copied)


def test_the_files_that_an_environment_is_made_of_are_known():
    """A pin file would be used instead of an environment's file, without its pip section."""
    others = {path.name for path in (ROOT / "envs").iterdir()} - {f"{stage}.yaml" for stage in STAGES}
    assert others == {"runs.post-deploy.sh"}


@pytest.mark.workflow
def test_jobs_run_in_the_image_only_with_apptainer(edited, tmp_path, monkeypatch):
    asked = (edited / TARGET).read_bytes()
    (edited / TARGET).unlink()
    done = snakemake(edited, "--cores", "1", "--", TARGET)
    assert "Singularity containers: ignored" in done.stdout
    assert (edited / TARGET).read_bytes() == asked
    (edited / TARGET).unlink()
    command = tmp_path / "bin" / "apptainer"
    command.parent.mkdir()
    command.write_text(APPTAINER)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(command.parent), prepend=os.pathsep)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    snakemake(edited, "--cores", "1", "--sdm", "apptainer", "--", TARGET)
    assert (edited / TARGET).read_bytes() == asked
    assert set((tmp_path / "seen").read_text().split()) >= {"synthrank.sif"}
