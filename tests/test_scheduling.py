"""How often the head of a run looks for jobs to start."""

from pathlib import Path

import pytest
from toy_experiment import make_toy, snakemake

TARGETS = [f"results/runs/corpora/{corpus}/bm25/test.trec" for corpus in ("kitchens", "gardens")]


@pytest.mark.workflow
def test_ready_jobs_are_looked_at_once_per_finished_job(tmp_path: Path) -> None:
    """Snakemake's default limit of jobs per timespan makes it look once more a second for each job that has ended."""
    said = snakemake(make_toy(tmp_path / "toy"), "--cores", "1", "--verbose", "--", *TARGETS).stdout
    jobs = said.count("Finished jobid: ")
    assert jobs >= 8
    assert said.count("Ready jobs: ") <= jobs + 1
