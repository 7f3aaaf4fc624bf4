"""The cores of profiles/default do not limit jobs on a cluster."""

import pytest
from snakemake.cli import get_profile_dir

from synthrank.workflow.cores import runs_on_cluster

SLURM = ("--profile", "config/profiles/slurm")


@pytest.mark.parametrize(
    ("words", "profile", "expected"),
    [
        ([*SLURM, "--", "results/tables/ood.csv"], "", True),
        (["--executor", "slurm", "--jobs", "9"], "", True),
        (["results/tables/ood.csv"], "config/profiles/slurm", True),
        ([*SLURM, "--workflow-profile", "config/profiles/slurm-gres"], "", True),
        ([*SLURM, "--cores", "64"], "", False),
        ([*SLURM, "-c8"], "", False),
        ([*SLURM, "--executor", "local"], "", False),
        (["--profile", "profiles/default"], "", False),
        (["--profile", "no/such/folder"], "", False),
        (["--config", "seeds=[1]", "--cores"], "", False),
        ([], "", False),
    ],
)
def test_runs_on_cluster_reads_the_command_line_and_the_profile(root, monkeypatch, words, profile, expected):
    monkeypatch.chdir(root)
    assert runs_on_cluster(words, profile, get_profile_dir) is expected
