"""Main processes of the workflow on the test cluster, and a record of the steps that jobs run."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from slurm.cluster import Cluster

PROJECT = Path(__file__).resolve().parents[2]
PROFILE = ("--profile", "config/profiles/slurm")
FAST = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10")
"""Shorter waits than the profile's; nothing else is changed."""
BIN = Path(sys.executable).parent
TINY = Path(__file__).parent / "tiny"
SEEN = {"SYNTHRANK_DATA": "/data/of/mine", "HF_HOME": "/cache/of/mine", "TOY_KEY": "sk-planted"}
"""Environment variables of a tiny workflow's main process."""
WITNESS = """\
#!/bin/bash
# Each step holds a lock until it and its children end. If the lock is taken, the same step runs twice at a time.
if [[ "$1" == */scripts/step.py ]]; then
    key=$(printf '%s\\n' "${{@:1}}" | sha256sum | cut -c1-20)
    exec 9>"{folder}/$key.lock"
    flock --nonblock 9 && word=start || word=twice
    echo "$word $SLURM_JOB_ID $2" >>"{folder}/steps"
fi
exec {python} "$@"
"""


class Site:
    """A project's folder on a cluster.

    Args:
        folder: where Snakemake runs; the project's profiles, Makefile and scripts are linked into it unless they exist.
        cluster: the cluster that takes the jobs.
        variables: additional environment variables of the main process.
    """

    def __init__(self, folder: Path, cluster: Cluster, **variables: str) -> None:
        self.folder, self.cluster = folder, cluster
        self.environment = {**cluster.environment, "CI": "true", **variables}
        for name in ("PYTHONPATH", "SYNTHRANK_STORE", "SYNTHRANK_BUDGET_USD"):
            self.environment.pop(name, None)
        (folder / "config").mkdir(exist_ok=True)
        for name in ("config/profiles", "Makefile", "scripts"):
            if not (folder / name).exists():
                (folder / name).symlink_to(PROJECT / name)
        (folder / ".venv").symlink_to(BIN.parent)
        self.witness = folder / "witness"
        (self.witness / "bin").mkdir(parents=True)
        python = self.witness / "bin/python"
        python.write_text(WITNESS.format(folder=self.witness, python=sys.executable))
        python.chmod(0o755)
        self.environment["PATH"] = f"{self.witness}/bin:{BIN}:{cluster.environment['PATH']}"

    def start(self, *arguments: str, profile: tuple[str, ...] = (*PROFILE, *FAST)) -> "Head":
        """Start a main process in a new process group, as in a terminal."""
        return Head(self, [str(BIN / "snakemake"), *profile, *arguments])

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a target of the Makefile without installing."""
        source = {**self.environment, "PYTHONPATH": str(PROJECT / "src")}
        return subprocess.run(
            ["make", "--assume-old=.venv/.ready", *arguments], cwd=self.folder, env=source, text=True, check=False,
            capture_output=True,
        )  # fmt: skip

    def steps(self) -> list[list[str]]:
        """Return (start or twice, SLURM job, script) of every step so far."""
        path = self.witness / "steps"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


class Head:
    """A running Snakemake; its output goes to a file."""

    count = 0

    def __init__(self, site: Site, command: list[str]) -> None:
        Head.count += 1
        self.log = site.folder / f"head-{Head.count}.txt"
        with self.log.open("wb") as said:
            self.process = subprocess.Popen(
                command, cwd=site.folder, env=site.environment, stdin=subprocess.DEVNULL, stdout=said,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def until(self, true: Callable[[], bool], seconds: float = 300) -> None:
        """Wait for a condition while the main process runs."""
        end = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, f"the head ended with {self.process.returncode}:\n{self.said[-6000:]}"
            assert time.monotonic() < end, f"nothing within {seconds} s:\n{self.said[-6000:]}"
            time.sleep(0.1)

    def wait(self, seconds: float = 900) -> int:
        """Return the exit code; a hanging main process is killed and fails the test."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the head hung for {seconds} s:\n{self.said[-6000:]}") from None

    def succeed(self, seconds: float = 900) -> str:
        """Wait for success and return the output of the main process."""
        assert self.wait(seconds) == 0, self.said[-8000:]
        return self.said

    def end(self, number: signal.Signals) -> None:
        """Send a signal only to the main process."""
        os.kill(self.process.pid, number)


def tiny(folder: Path, cluster: Cluster) -> Site:
    """Return a site of the tiny workflow."""
    shutil.copytree(TINY, folder, dirs_exist_ok=True)
    (folder / "tried").mkdir()
    site = Site(folder, cluster, **SEEN)
    (folder / "config/config.yaml").write_text("{}\n")  # the Makefile names it
    return site


def tried(site: Site, rule: str) -> list[str]:
    """Return the lines that the attempts of a rule of the tiny workflow wrote."""
    return (site.folder / "tried" / rule).read_text().split()
