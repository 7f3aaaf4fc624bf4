"""`make recover` after a killed main process, on a tiny workflow whose only job waits for a file."""

import signal
import subprocess
import threading
from pathlib import Path

import pytest
from slurm.cluster import Cluster
from slurm.heads import Site, tiny, tried

pytestmark = pytest.mark.slurm
TARGET = ("--", "out/is_cancelled")


@pytest.fixture
def killed(tmp_path: Path, cluster: Cluster) -> Site:
    """Return a site whose main process was killed while its job still runs."""
    site = tiny(tmp_path, cluster)
    head = site.start(*TARGET)
    head.until((tmp_path / "tried/is_cancelled").exists)
    head.end(signal.SIGKILL)
    head.wait(120)
    return site


def state(site: Site, job: str) -> str:
    return next(found["state"] for found in site.cluster.jobs() if found["id"] == job)


def test_recover_cancels_remaining_jobs_and_unlocks(killed: Site) -> None:
    (job,) = tried(killed, "is_cancelled")
    assert state(killed, job) == "RUNNING"
    locked = killed.start(*TARGET)
    assert locked.wait(180)
    assert "Directory cannot be locked" in locked.said
    done = killed.make("recover")
    assert not done.returncode, done.stderr
    assert done.stdout.startswith("1 SLURM jobs cancelled")
    assert state(killed, job) == "CANCELLED"
    (killed.folder / "go").touch()
    killed.start(*TARGET).succeed(300)
    assert len(tried(killed, "is_cancelled")) == 2
    again = killed.make("recover")
    assert not again.returncode, again.stderr
    assert again.stdout.startswith("0 SLURM jobs cancelled")


def test_recover_can_wait_for_remaining_jobs(killed: Site) -> None:
    (job,) = tried(killed, "is_cancelled")
    said: list[subprocess.CompletedProcess[str]] = []
    waiting = threading.Thread(target=lambda: said.append(killed.make("recover", "JOBS=wait")))
    waiting.start()
    waiting.join(8)
    assert waiting.is_alive()
    (killed.folder / "go").touch()
    waiting.join(120)
    assert not said[0].returncode, said[0].stderr
    assert said[0].stdout.startswith("1 SLURM jobs finished")
    assert state(killed, job) == "COMPLETED"
    assert (killed.folder / "out/is_cancelled").exists()
