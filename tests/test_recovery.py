"""What a killed run left, by Snakemake's logs, /proc and a made-up SLURM."""

import os
import socket
import stat
from pathlib import Path

import pytest

from synthrank.errors import RecoveryError
from synthrank.recovery import Recovered, recover
from synthrank.recovery.logs import Runs, read_runs
from synthrank.recovery.processes import Process, processes_of
from synthrank.recovery.slurm import Job, cancel, live_jobs

HERE = socket.gethostname()
SQUEUE = """\
#!/bin/sh
# The first look sees queue.1, the second queue.2, and so on; the last one stays.
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
    """Return the folder of a SLURM whose queue a test sets by ``queue``."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("squeue", SQUEUE), ("scancel", SCANCEL)):
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_FAKE", str(folder))
    return folder


def queue(slurm: Path, *looks: str) -> None:
    """Set what squeue says, one text a look, from now on."""
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


def test_logs_name_all_runs_and_the_machine_of_the_last_one(tmp_path: Path) -> None:
    assert read_runs(tmp_path) == Runs(frozenset(), "")
    log(tmp_path, "2026-01-02T1", "b-2", host="node2")
    log(tmp_path, "2026-01-01T9", "prefix_a-1", host="node1")
    log(tmp_path, "2026-01-03T0", host="node3")
    assert read_runs(tmp_path) == Runs(frozenset({"prefix_a-1", "b-2"}), "node3")


def test_without_logs_and_after_local_runs_slurm_is_not_asked(tmp_path: Path, slurm: Path) -> None:
    assert recovered(tmp_path) == Recovered(0, 0)
    log(tmp_path, "1")
    assert recovered(tmp_path) == Recovered(0, 0)
    assert not (slurm / "asked").exists()


def test_live_jobs_of_all_earlier_runs_are_cancelled_and_no_others(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    log(tmp_path, "2", "run-2")
    first = "11|RUNNING|run-1\n12|PENDING|run-2\n13|COMPLETING|run-2\n14|COMPLETED|run-1\n15|RUNNING|mine|of old\n"
    queue(slurm, first, first, "13|COMPLETING|run-2\n15|RUNNING|mine|of old\n", "15|RUNNING|mine|of old\n")
    assert recovered(tmp_path) == Recovered(3, 2)
    assert (slurm / "cancelled").read_text().splitlines() == ["11 12 13"]
    assert len(asked(slurm)) == 5, "two looks at an empty queue"


def test_a_job_that_arrives_after_the_first_look_is_cancelled_too(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    queue(slurm, *["11|RUNNING|run-1\n"] * 2, "", "12|RUNNING|run-1\n", "", "")
    assert recovered(tmp_path) == Recovered(1, 1)
    assert (slurm / "cancelled").read_text().splitlines() == ["11", "12"]


def test_jobs_may_be_waited_for(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    queue(slurm, "11|RUNNING|run-1\n", "11|RUNNING|run-1\n", "11|COMPLETED|run-1\n", "")
    assert recovered(tmp_path, wait=True, cancel_s=0) == Recovered(1, 1)
    assert not (slurm / "cancelled").exists()
    assert len(asked(slurm)) == 4


def test_a_job_that_does_not_end_is_named(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    queue(slurm, "11|COMPLETING|run-1\n")
    with pytest.raises(RecoveryError, match=r"SLURM job 11 is still COMPLETING"):
        recovered(tmp_path, cancel_s=0)


def test_a_head_that_lives_is_refused_before_slurm_is_asked(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1")
    working = [Process(7, False, "train_ranker.py"), Process(8, True, "snakemake")]
    with pytest.raises(RecoveryError, match=r"process 8 still runs the workflow here: .*kill -INT 8"):
        recovered(tmp_path, processes=lambda _: working)
    with pytest.raises(RecoveryError, match=r"^a killed run still works here \(train_ranker.py\): .* `kill 7`$"):
        recovered(tmp_path, processes=lambda _: working[:1], head_is_gone=True)
    two = [Process(7, False, "train_ranker.py"), Process(9, False, "search_suite.py")]
    with pytest.raises(RecoveryError, match=r"^a killed run .*\(train_ranker.py, search_suite.py\).* `kill 7 9`$"):
        recovered(tmp_path, processes=lambda _: two)
    assert not (slurm / "asked").exists()


def test_a_head_on_another_machine_is_asked_for_in_the_queue(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", "run-1", host="node9")
    queue(slurm, "20|RUNNING|study\n11|RUNNING|run-1\n")
    with pytest.raises(RecoveryError, match=r"SLURM job 20 \(study\) on node9 may be the last run's head"):
        recovered(tmp_path)
    assert "--nodelist=node9" in asked(slurm)[0]
    assert not (slurm / "cancelled").exists()
    queue(slurm, "11|RUNNING|run-1\n", "11|RUNNING|run-1\n", "")
    assert recovered(tmp_path) == Recovered(1, 1)


def test_a_head_on_a_machine_that_is_no_node_must_be_said_to_be_gone(tmp_path: Path, slurm: Path) -> None:
    log(tmp_path, "1", host="login2")
    (slurm / "broken").touch()
    with pytest.raises(RecoveryError, match="head was on login2; recover there, or say HEAD=gone"):
        recovered(tmp_path)
    assert recovered(tmp_path, head_is_gone=True) == Recovered(0, 0)


def test_a_slurm_that_fails_or_is_absent_is_one_line(
    tmp_path: Path, slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (slurm / "broken").touch()
    with pytest.raises(RecoveryError, match=r"squeue failed \(squeue: error: no controller\)"):
        live_jobs()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RecoveryError, match="scancel is not to be had here"):
        cancel([Job("1", "run", "RUNNING")])


def test_what_is_no_job_is_refused(slurm: Path) -> None:
    queue(slurm, "slurm_load_jobs error\n")
    with pytest.raises(RecoveryError, match="expected a job's id, state and name"):
        live_jobs()


def process(proc: Path, pid: int, cwd: Path, *words: str, environment: str = "HOME=/root") -> None:
    entry = proc / str(pid)
    entry.mkdir(parents=True)
    (entry / "cwd").symlink_to(cwd)
    (entry / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
    (entry / "environ").write_bytes(environment.encode().replace(b" ", b"\0"))


def test_heads_and_orphans_of_this_folder_are_found(tmp_path: Path) -> None:
    proc, folder, other = tmp_path / "proc", tmp_path / "study", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    python, script = str(folder / ".venv/bin/python3.11"), str(folder / "scripts/train_ranker.py")
    in_slurm = "HOME=/root SLURM_JOB_ID=5"
    process(proc, 10, folder, python, "/x/bin/snakemake", "--profile", "config/profiles/slurm")
    process(proc, 9, folder, python, "-m", "snakemake", "--cores", "2", environment=in_slurm)
    process(proc, 11, folder, python, "/x/snakemake/__main__.py", "--mode", "remote", environment=in_slurm)
    process(proc, 12, folder, python, "/x/snakemake/__main__.py", "--mode", "subprocess")
    process(proc, 13, folder, "python", script, "--seed", "1")
    process(proc, 14, folder, "python", script, "--seed", "2", environment=in_slurm)
    process(proc, 15, other, python, "/x/bin/snakemake")
    process(proc, 16, folder, python, "/x/bin/snakemake", "--cores", "2", "--unlock")
    process(proc, 17, folder, "vim", "snakemake")
    process(proc, 18, folder, python, "-m", "synthrank.recovery")
    (proc / "19").mkdir()
    assert processes_of(folder, proc) == [
        Process(9, True, "snakemake"),
        Process(10, True, "snakemake"),
        Process(12, False, "snakemake"),
        Process(13, False, "train_ranker.py"),
    ]


def test_this_machine_has_no_head_in_a_new_folder(tmp_path: Path) -> None:
    assert processes_of(tmp_path) == []
