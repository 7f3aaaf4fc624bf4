"""Recovery after a killed run, with Snakemake's logs, /proc and a fake SLURM."""

import os
import socket
import stat
from pathlib import Path

import pytest

from synthrank.errors import RecoveryError
from synthrank.workflow.recovery import Recovered, recover
from synthrank.workflow.recovery.logs import Runs, read_runs
from synthrank.workflow.recovery.processes import Process, processes_of
from synthrank.workflow.recovery.slurm import QueuedJob, cancel, live_jobs

HERE = socket.gethostname()
SQUEUE = """\
#!/bin/sh
# The first query returns queue.1, the second queue.2, and so on. The last file is repeated.
echo "$@" >> "$SLURM_FAKE/asked"
test -e "$SLURM_FAKE/broken" && { echo "squeue: error: no controller" >&2; exit 1; }
look=$(wc -l < "$SLURM_FAKE/asked")
while test ! -e "$SLURM_FAKE/queue.$look"; do look=$((look - 1)); done
cat "$SLURM_FAKE/queue.$look"
"""
SCANCEL = """\
#!/bin/sh
echo "$@" >> "$SLURM_FAKE/cancelled"
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a fake SLURM. ``queue`` sets its queue."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("squeue", SQUEUE), ("scancel", SCANCEL)):
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_FAKE", str(folder))
    return folder


def queue(slurm: Path, *looks: str) -> None:
    """Set the output of the next calls of squeue."""
    for path in [slurm / "asked", *slurm.glob("queue.*")]:
        path.unlink(missing_ok=True)
    for number, text in enumerate(looks, 1):
        (slurm / f"queue.{number}").write_text(text)


def asked(slurm: Path) -> list[str]:
    return (slurm / "asked").read_text().splitlines()


def log(folder: Path, time: str, run: str = "", host: str = HERE) -> None:
    path = folder / f".snakemake/log/{time}.snakemake.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"  Date: now\n  Host: {host}\n" + (f"SLURM run ID: {run}\n" if run else ""))


def recovered(folder: Path, **options) -> Recovered:
    return recover(folder, **{"processes": lambda _: [], "poll_s": 0, **options})


def test_read_runs_returns_all_ids_and_the_last_machine(tmp_path: Path) -> None:
    assert read_runs(tmp_path) == Runs(frozenset(), "")
    log(tmp_path, "2026-01-02T1", "b-2", host="node2")
    log(tmp_path, "2026-01-01T9", "prefix_a-1", host="node1")
    log(tmp_path, "2026-01-03T0", host="node3")
    assert read_runs(tmp_path) == Runs(frozenset({"prefix_a-1", "b-2"}), "node3")


def test_recover_without_slurm_runs_does_not_call_slurm(tmp_path: Path, slurm: Path) -> None:
    assert recovered(tmp_path) == Recovered(0, 0)
    log(tmp_path, "1")
    assert recovered(tmp_path) == Recovered(0, 0)
    assert not (slurm / "asked").exists()


def test_recover_cancels_only_live_jobs_of_earlier_runs(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    log(tmp_path, "2", "run-2")
    first = "11|RUNNING|run-1\n12|PENDING|run-2\n13|COMPLETING|run-2\n14|COMPLETED|run-1\n15|RUNNING|mine|other\n"
    queue(slurm, first, first, "13|COMPLETING|run-2\n15|RUNNING|mine|other\n", "15|RUNNING|mine|other\n")
    assert recovered(tmp_path) == Recovered(3, 2)
    assert (slurm / "cancelled").read_text().splitlines() == ["11 12 13"]
    assert len(asked(slurm)) == 5, "two queries of an empty queue"


def test_recover_cancels_a_job_that_arrives_late(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    queue(slurm, *["11|RUNNING|run-1\n"] * 2, "", "12|RUNNING|run-1\n", "", "")
    assert recovered(tmp_path) == Recovered(1, 1)
    assert (slurm / "cancelled").read_text().splitlines() == ["11", "12"]


def test_recover_waits_for_jobs(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    queue(slurm, "11|RUNNING|run-1\n", "11|RUNNING|run-1\n", "11|COMPLETED|run-1\n", "")
    assert recovered(tmp_path, wait=True, cancel_s=0) == Recovered(1, 1)
    assert not (slurm / "cancelled").exists()
    assert len(asked(slurm)) == 4


def test_recover_names_a_job_that_does_not_end(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    queue(slurm, "11|COMPLETING|run-1\n")
    with pytest.raises(RecoveryError, match=r"SLURM job 11 is still COMPLETING"):
        recovered(tmp_path, cancel_s=0)


def test_recover_refuses_live_processes_before_calling_slurm(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    working = [Process(7, False, "train_ranker.py"), Process(8, True, "snakemake")]
    with pytest.raises(RecoveryError, match=r"process 8 still runs the workflow here: .*kill -INT 8"):
        recovered(tmp_path, processes=lambda _: working)
    with pytest.raises(RecoveryError, match=r"^steps of a killed run are alive \(train_ranker.py\): .* `kill 7`$"):
        recovered(tmp_path, processes=lambda _: working[:1], head_is_gone=True)
    two = [Process(7, False, "train_ranker.py"), Process(9, False, "search_testset.py")]
    with pytest.raises(
        RecoveryError, match=r"^steps of a killed run .*train_ranker.py, search_testset.py.* `kill 7 9`$"
    ):
        recovered(tmp_path, processes=lambda _: two)
    assert not (slurm / "asked").exists()


def test_recover_looks_for_a_main_process_on_another_machine(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1", host="node9")
    queue(slurm, "20|RUNNING|study\n11|RUNNING|run-1\n")
    with pytest.raises(RecoveryError, match=r"SLURM job 20 \(study\) on node9 may be the main process of the last run"):
        recovered(tmp_path)
    assert "--nodelist=node9" in asked(slurm)[0]
    assert not (slurm / "cancelled").exists()
    queue(slurm, "11|RUNNING|run-1\n", "11|RUNNING|run-1\n", "")
    assert recovered(tmp_path) == Recovered(1, 1)


def test_recover_of_a_run_on_an_unknown_machine_needs_head_gone(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", host="login2")
    (slurm / "broken").touch()
    with pytest.raises(RecoveryError, match="process of the last run was on login2; recover there, or add HEAD=gone"):
        recovered(tmp_path)
    assert recovered(tmp_path, head_is_gone=True) == Recovered(0, 0)


def test_a_failing_or_missing_slurm_is_a_one_line_error(
    tmp_path: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (slurm / "broken").touch()
    with pytest.raises(RecoveryError, match=r"squeue failed \(squeue: error: no controller\)"):
        live_jobs()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RecoveryError, match="scancel: no such command here"):
        cancel([QueuedJob("1", "run", "RUNNING")])


def test_live_jobs_refuses_unexpected_output(slurm: Path) -> None:
    queue(slurm, "slurm_load_jobs error\n")
    with pytest.raises(RecoveryError, match="expected a job's id, state and name"):
        live_jobs()


def process(proc: Path, pid: int, cwd: Path, *words: str, environment: str = "HOME=/root") -> None:
    entry = proc / str(pid)
    entry.mkdir(parents=True)
    (entry / "cwd").symlink_to(cwd)
    (entry / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
    (entry / "environ").write_bytes(environment.encode().replace(b" ", b"\0"))


def test_processes_of_returns_main_processes_and_orphans(tmp_path: Path) -> None:
    proc, folder, other = tmp_path / "proc", tmp_path / "study", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    python, script = str(folder / ".venv/bin/python3.11"), str(folder / "scripts/step.py")
    in_slurm = "HOME=/root SLURM_JOB_ID=5"
    process(proc, 10, folder, python, "/x/bin/snakemake", "--profile", "config/profiles/slurm")
    process(proc, 9, folder, python, "-m", "snakemake", "--cores", "2", environment=in_slurm)
    process(proc, 11, folder, python, "/x/snakemake/__main__.py", "--mode", "remote", environment=in_slurm)
    process(proc, 12, folder, python, "/x/snakemake/__main__.py", "--mode", "subprocess")
    process(proc, 13, folder, "python", script, "train_ranker", "--seed", "1")
    process(proc, 14, folder, "python", script, "train_ranker", "--seed", "2", environment=in_slurm)
    process(proc, 15, other, python, "/x/bin/snakemake")
    process(proc, 16, folder, python, "/x/bin/snakemake", "--cores", "2", "--unlock")
    process(proc, 17, folder, "vim", "snakemake")
    process(proc, 18, folder, python, str(folder / "scripts/recover.py"))
    (proc / "19").mkdir()
    assert processes_of(folder, proc) == [
        Process(9, True, "snakemake"),
        Process(10, True, "snakemake"),
        Process(12, False, "snakemake"),
        Process(13, False, "train_ranker"),
    ]


def test_processes_of_an_unused_folder_is_empty(tmp_path: Path) -> None:
    assert processes_of(tmp_path) == []
