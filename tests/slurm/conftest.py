"""One cluster for all tests, removed at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm.cluster import ACCOUNTING, DAEMONS, Cluster, missing


def _cluster(accounting: bool) -> Iterator[Cluster]:
    absent = missing((*DAEMONS, *(ACCOUNTING if accounting else ())))
    if absent:
        packages = "slurm-wlm munge" + " slurmdbd mariadb-server" * accounting
        pytest.skip(f"{', '.join(absent)} not installed: apt-get install --no-install-recommends {packages}")
    if os.geteuid():
        pytest.skip("a node of SLURM is started by root")
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # socket paths must be short
    folder.chmod(0o755)
    try:
        with Cluster(folder / "c", accounting=accounting) as cluster:
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster without accounting."""
    yield from _cluster(False)


@pytest.fixture(scope="session")
def accounting() -> Iterator[Cluster]:
    """A cluster with an accounting database."""
    yield from _cluster(True)
