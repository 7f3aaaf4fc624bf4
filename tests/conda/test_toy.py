"""The toy experiment gives the same files in its rules' environments as in one, and fails clearly in a wrong one."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest
import yaml
from conda.study import TARGETS, make_study
from toy_experiment import snakemake

pytestmark = pytest.mark.conda

COMPARED = (
    "corpora/**/*",
    "passages/**/*.jsonl",
    "queries/**/*.jsonl",
    "runs/**/*.trec",
    "rankings/**/candidates.jsonl",
    "rankings/**/orders.jsonl",
    "trainsets/**/*.jsonl",
    "metrics/**/*.csv",
    "validity/**/*",
    "tables/*",
    "figures/*.svg",
)
"""Files of a run, except indexes and PDFs, which contain random names and times."""


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every compared file, without replies, which contain their time."""
    results = folder / "results"
    return {
        path.relative_to(results).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in COMPARED
        for path in sorted(results.glob(pattern))
        if path.is_file() and path.name != "replies.jsonl" and path.parent.name != "shards"
    }


def test_a_run_in_conda_environments_gives_the_bytes_of_a_run_in_one(conda: Path, tmp_path: Path) -> None:
    one = make_study(tmp_path / "one")
    many = Path(shutil.copytree(one, tmp_path / "many"))
    plain = snakemake(one, "--cores", "2", "--", *TARGETS)
    done = snakemake(many, "--cores", "2", "--sdm", "conda", "--conda-prefix", str(conda), "--", *TARGETS)
    assert "Conda environments: ignored" in plain.stdout
    assert done.stdout.count("Activating conda environment") > 80, "a job is shown with the environment it runs in"
    expected, found = digests(one), digests(many)
    assert {pattern.split("/")[0] for pattern in COMPARED} == {name.split("/")[0] for name in expected}
    assert {"tables/ood.csv", "tables/id.csv", "tables/validity.csv", "figures/passages.svg"} <= set(expected)
    assert {name for name in expected | found if expected.get(name) != found.get(name)} == set()
    again = snakemake(many, "--dry-run", "--sdm", "conda", "--conda-prefix", str(conda), "--", *TARGETS)
    assert "Nothing to be done" in again.stdout


def test_an_environment_without_a_module_is_one_line_in_the_log(conda: Path, tmp_path: Path) -> None:
    study = make_study(tmp_path / "toy")
    path = study / "envs" / "corpora.yaml"
    environment = yaml.safe_load(path.read_text())
    environment["dependencies"][-1] = {"pip": [pin for pin in environment["dependencies"][-1]["pip"] if "yaml" in pin]}
    path.write_text(yaml.safe_dump(environment))
    target = "results/corpora/gardens/passages.jsonl"
    options = ["--cores", "1", "--sdm", "conda", "--conda-prefix", str(conda)]
    done = snakemake(study, *options, "--", target, check=False)
    assert done.returncode
    (log,) = (study / "results/logs/build_passages").rglob("*.log")
    (line,) = log.read_text().splitlines()
    assert line in done.stdout
    assert re.match(rf"error: build_passages: no module \w+ in {conda}/\w+; envs/corpora\.yaml lists ", line)
    assert not (study / target).exists()
