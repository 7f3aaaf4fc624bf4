"""How many different passages real training sets hold, made by the workflow from the committed files."""

import os
import shutil
from pathlib import Path

import pytest
from toy_experiment import PROJECT, snakemake

from synthrank.files import read_jsonl
from synthrank.records import Group

SHARED = os.environ.get("SYNTHRANK_SHARED", "")


def made(folder: Path, recipe: str) -> list[Group]:
    """Return a recipe's groups, made in a copy of the project."""
    for name in ("rules", "scripts", "src", "envs", "config"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(PROJECT / "Snakefile", folder)
    if SHARED:
        (folder / "data").symlink_to(Path(SHARED, "collections"))
    target = f"results/trainsets/{recipe}/none/groups.jsonl"
    snakemake(folder, "--cores", "2", "--", target)
    return list(read_jsonl(folder / target, Group))


def of_label(groups: list[Group], label: float) -> list[str]:
    return [item.id for group in groups for item in group.candidates if item.label == label]


@pytest.mark.network
def test_negatives_of_the_demo(tmp_path):
    """In one order for all queries its 192 negatives were 53 passages."""
    negatives = of_label(made(tmp_path, "human"), 0)
    assert len(negatives) == 192
    assert len(set(negatives)) >= 110


@pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED does not name the shared collections")
def test_positives_and_negatives_of_nfcorpus(tmp_path):
    """With ties of grades broken by id, 1,000 queries had 481 positives, and so few hits served."""
    groups = made(tmp_path, "nfcorpus-shared-human")
    assert len(groups) == 1000
    assert len(set(of_label(groups, 1))) >= 780
    negatives = of_label(groups, 0)
    assert len(negatives) == 2000
    assert len(set(negatives)) >= 1300
    assert max(map(negatives.count, set(negatives))) <= 12
