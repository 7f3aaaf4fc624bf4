"""The rate at which the main process looks for ready jobs."""

from pathlib import Path

import pytest
from toy_experiment import make_toy, snakemake

TARGETS = [f"results/runs/corpora/{corpus}/bm25/test.trec" for corpus in ("kitchens", "gardens")]


@pytest.mark.workflow
def test_main_process_looks_for_ready_jobs_once_per_finished_job(tmp_path: Path) -> None:
    """Snakemake's default limit of jobs per timespan adds one look per second for each finished job."""
    said = snakemake(make_toy(tmp_path / "toy"), "--cores", "1", "--verbose", "--", *TARGETS).stdout
    jobs = said.count("Finished jobid: ")
    assert jobs >= 8
    assert said.count("Ready jobs: ") <= jobs + 1
