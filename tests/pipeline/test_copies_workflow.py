"""A run depends on the contents of its files: a copy with new times is finished, changed weights are not."""

import shutil
from pathlib import Path

import pytest
from toy_experiment import TABLES, planned, snakemake

pytestmark = pytest.mark.workflow


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished experiment as `cp -r` makes it: every file has a new time, in any order."""
    return Path(shutil.copytree(finished, tmp_path / "copy", symlinks=True, copy_function=shutil.copyfile))


def test_copy_of_a_finished_run_has_nothing_to_do(copied: Path) -> None:
    assert planned(copied) == set()


def test_changed_weights_of_a_local_model_rerun_its_dependents(copied: Path) -> None:
    (weights,) = (copied / "models/tiny-encoder").glob("*.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    rules = {job.split()[0] for job in planned(copied)}
    assert {"unpack_model", "train_ranker", "make_tables"} <= rules


def test_moved_model_reruns_nothing(copied: Path) -> None:
    (copied / "models/tiny-encoder").rename(copied / "models/elsewhere")
    spec = copied / "config/models/tiny-encoder.yaml"
    spec.write_text(spec.read_text().replace("models/tiny-encoder", "models/elsewhere"))
    assert planned(copied) == set()
    assert "Nothing to be done" in snakemake(copied, "--cores", "1", "--", *TABLES).stdout
