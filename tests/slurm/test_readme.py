"""Run the commands of the README's cluster section unchanged: the toy in a fresh copy of the project."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from slurm.cluster import Cluster
from toy_experiment import make_toy

from synthrank.workflow.recovery.processes import processes_of

pytestmark = pytest.mark.slurm
PROJECT = Path(__file__).resolve().parents[2]
TABLE = "results/tables/ood.csv"
CONFIG = """\
llms: [echo]
recipes: [human]
rankers: [bi-encoder]
seeds: [1]
suites: [toy]
first_stages: [bm25]
measures: [nDCG@10]
intervals: {resamples: 100}
"""
WAITS = (("checks: 20", "checks: 1"), ("latency-wait: 60", "latency-wait: 10"))
"""Settings of the profile that would only make a toy wait."""


def commands() -> tuple[list[str], list[str], list[str]]:
    """Return the commands of the README's cluster section, and the one of docs/cluster.md that submits Snakemake."""
    section = (PROJECT / "README.md").read_text().split("\n## On a cluster\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"^```\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    submitted = re.findall(r"^sbatch .*$", (PROJECT / "docs/cluster.md").read_text(), re.MULTILINE)
    return block.splitlines(), submitted[:1], re.findall(r"`(make recover)`", section)


@dataclass
class Copy:
    """A fresh copy of the project in ``folder``, and the environment of a shell in it."""

    folder: Path
    cluster: Cluster
    environment: dict[str, str]

    def run(self, line: str) -> str:
        """Run a line in a shell and return its output."""
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert not done.returncode, done.stdout + done.stderr
        return done.stdout

    def heads(self) -> list[int]:
        """Return the main processes of Snakemake in this folder, without the processes of jobs."""
        return [found.pid for found in processes_of(self.folder) if found.is_head]

    def jobs(self) -> list[dict[str, str]]:
        """Return the jobs of this copy's steps."""
        here = [job for job in self.cluster.jobs() if job["folder"] == str(self.folder)]
        return [job for job in here if job["comment"].startswith("rule_")]

    def logs(self) -> str:
        """Return the end of the output of main processes and jobs, for a failure message."""
        found = [*self.folder.glob("slurm-*.out"), *self.folder.glob(".snakemake/log/*.log")]
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-3000:]}" for path in found)

    def until(self, true: Callable[[], object], what: str, seconds: float = 600) -> None:
        """Wait for a condition."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"no {what} within {seconds} s:\n{self.logs()}"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Copy:
    """Return a copy as a user has it, with Makefile, profiles and an installed environment."""
    folder = make_toy(tmp_path_factory.mktemp("readme") / "study")
    (folder / "config/config.yaml").write_text(CONFIG)
    shutil.copytree(PROJECT / "config/profiles", folder / "config/profiles")
    profile = folder / "config/profiles/slurm/config.yaml"
    text = profile.read_text()
    for long, short in WAITS:
        assert long in text
        text = text.replace(long, short)
    profile.write_text(text)
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("Makefile", "pyproject.toml"):  # with an old time, so that make has nothing to install
        shutil.copy(PROJECT / name, folder / name)
        os.utime(folder / name, (0, 0))
    environment = {**cluster.environment, "CI": "true", "TERM": "xterm", "TMUX_TMPDIR": str(cluster.folder)}
    # The environment was installed from another copy.
    environment |= {"PYTHONPATH": str(folder / "src")}
    for name in ("SYNTHRANK_STORE", "SYNTHRANK_DATA", "SYNTHRANK_BUDGET_USD", "TMUX", "VIRTUAL_ENV"):
        environment.pop(name, None)
    path = environment["PATH"].split(os.pathsep)
    environment["PATH"] = os.pathsep.join(name for name in path if Path(name).resolve() != Path(sys.prefix) / "bin")
    return Copy(folder, cluster, environment)


@pytest.fixture
def terminal(copy: Copy) -> Iterator[Callable[[str], None]]:
    """Yield a function that types a line into a terminal; close the terminal and tmux at the end."""
    process, master = pty.fork()
    if not process:
        os.chdir(copy.folder)
        os.execvpe("bash", ["bash", "--norc", "--noprofile"], copy.environment)
    drain = subprocess.Popen(["cat"], stdin=master, stdout=subprocess.DEVNULL)

    def type_line(line: str) -> None:
        os.write(master, f"{line}\n".encode())

    try:
        yield type_line
    finally:
        subprocess.run(["tmux", "kill-server"], env=copy.environment, capture_output=True, check=False) if tmux() else 0
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        drain.kill()
        drain.wait()
        os.close(master)


def tmux() -> bool:
    return shutil.which("tmux") is not None


def test_section_shows_both_submissions_and_recovery() -> None:
    in_tmux, in_allocation, recover = commands()
    assert in_tmux[0].startswith("tmux ")
    assert [line.split()[0] for line in in_allocation] == ["sbatch"]
    assert recover == ["make recover"]
    assert in_tmux[-1] in in_allocation[0]


def test_the_commands_lead_to_the_table(copy: Copy, terminal: Callable[[str], None]) -> None:
    """Kill the main process in tmux while jobs run; after recovery, the one in an allocation makes the table."""
    (begin, *in_tmux), (in_allocation,), (recover,) = commands()
    if tmux():
        terminal(begin)
        session = ["tmux", "has-session", "-t", begin.split()[-1]]
        copy.until(
            lambda: not subprocess.run(session, env=copy.environment, capture_output=True, check=False).returncode,
            "session of tmux", 30,
        )  # fmt: skip
    for line in in_tmux:
        terminal(line)
    copy.until(lambda: any(job["state"] == "RUNNING" for job in copy.jobs()), "running job", 180)
    (head,) = copy.heads()
    os.kill(head, signal.SIGKILL)
    copy.until(lambda: not copy.heads(), "end of the head", 30)
    said = copy.run(recover)
    assert re.match(r"[1-9]\d* SLURM jobs cancelled", said), said
    assert not (copy.folder / TABLE).exists()

    number = copy.run(in_allocation).split()[-1]
    copy.until(lambda: state(copy, number) not in ("PENDING", "RUNNING", "COMPLETING"), "end of the job of the head")
    assert state(copy, number) == "COMPLETED", copy.logs()
    assert "not found" not in (copy.folder / f"slurm-{number}.out").read_text(), "a word that /bin/sh does not know"
    assert "bi-encoder" in (copy.folder / TABLE).read_text()
    assert {job["state"] for job in copy.jobs()} <= {"COMPLETED", "CANCELLED"}


def state(copy: Copy, number: str) -> str:
    return next(job["state"] for job in copy.cluster.jobs() if job["id"] == number)
