"""The profile for Kubernetes and S3: a dry run of the toy against a bucket, where the plugins are installed."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bucket_server import BucketServer
from toy_experiment import TABLES, make_toy

PLUGINS = ("snakemake_executor_plugin_kubernetes", "snakemake_storage_plugin_s3")
VARIABLES = ("SYNTHRANK_STORE", "HF_HOME", "IR_DATASETS_HOME")


@pytest.fixture(scope="module")
def profile(root: Path) -> dict:
    return yaml.safe_load((root / "config/profiles/kubernetes/config.yaml").read_text())


def test_paths_outside_of_the_rules_are_on_the_volume(profile: dict) -> None:
    assert profile["envvars"] == list(VARIABLES)
    assert all(re.fullmatch(r"[a-z-]+:/\w+", volume) for volume in profile["kubernetes-persistent-volumes"])


def test_profile_contains_no_key(root: Path) -> None:
    text = (root / "config/profiles/kubernetes/config.yaml").read_text()
    assert not re.search(r"^\s*[\w-]*(secret|access-key|token|password)[\w-]*:", text, re.MULTILINE)


def test_folders_of_steps_point_to_the_copies_of_the_bucket(profile: dict, tmp_path: Path) -> None:
    """A pod starts empty. It runs this command, then gets the project's files, then the job's inputs."""
    copies = tmp_path / ".snakemake/storage/s3" / profile["default-storage-prefix"].removeprefix("s3://")
    subprocess.run(["sh", "-c", profile["precommand"]], cwd=tmp_path, check=True)
    (copies / "data/gardens").mkdir()
    assert (tmp_path / "data/gardens").is_dir()
    (tmp_path / "results").joinpath("README.md").write_text("among the project's files")
    assert (copies / "results/README.md").exists()


def test_pods_have_limits_and_gpus_a_manufacturer(profile: dict) -> None:
    """The plugin sets no limits without `scale: 0`, and refuses `gpu` without a manufacturer, even `gpu=0`."""
    resources = profile["default-resources"]
    assert resources["scale"] == 0
    assert resources["gpu_manufacturer"] == "nvidia"


@pytest.mark.workflow
@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in PLUGINS),
    reason="the extra cloud is not installed: pip install --editable '.[cloud]'",
)
def test_a_dry_run_of_the_toy(root: Path, tmp_path: Path) -> None:
    folder = make_toy(tmp_path / "toy")
    shutil.copytree(root / "config/profiles/kubernetes", folder / "config/profiles/kubernetes")
    stored = tmp_path / "bucket"
    shutil.copytree(folder / "config", stored / "config")
    shutil.move(folder / "data", stored / "data")
    environment = {name: f"/study/{name.lower()}" for name in VARIABLES}
    environment |= {
        "SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "access-planted",
        "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "secret-planted",
    }
    with BucketServer(stored, "study") as bucket:
        environment["SNAKEMAKE_STORAGE_S3_ENDPOINT_URL"] = bucket.url
        code, said = planned(folder, **environment)
        assert not code, said
        assert any(method == "HEAD" for method, _ in bucket.asked)
        assert all("access-planted/" in signed for _, signed in bucket.asked), "the keys of the environment are used"
        del bucket.objects["study/config/rankers/bi-encoder.yaml"]
        code, missing = planned(folder, "results/checkpoints/human/none/bi-encoder/seed-1", **environment)
        assert code
    assert "planted" not in said
    jobs = dict(re.findall(r"^rule (\w+):\n((?:    .*\n)+)", said, re.MULTILINE))
    assert {"build_passages", "generate_passages", "train_ranker", "make_tables"} <= set(jobs)
    for name in re.findall(r"(\S+\.(?:jsonl|csv|trec|yaml|tsv))(?= \()", "".join(jobs.values())):
        assert name.startswith("s3://my-bucket/study/"), name
    assert re.search(r"scale=0, gpu_manufacturer=nvidia, .*gpu=1", jobs["train_ranker"])
    assert "s3://my-bucket/study/config/rankers/bi-encoder.yaml" in missing, "a file that was not put there is named"


def planned(folder: Path, target: str = TABLES[-1], **more: str) -> tuple[int, str]:
    """Return the exit code and the output of a dry run in a toy's folder; ``more`` is added to its environment."""
    unset = ("PYTHONPATH", "SYNTHRANK_DATA", "SYNTHRANK_BUDGET_USD", *VARIABLES)
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    command = ["-m", "snakemake", "--profile", "config/profiles/kubernetes", "--dry-run", "--", target]
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env={**environment, **more}, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout
