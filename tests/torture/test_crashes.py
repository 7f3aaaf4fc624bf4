"""The toy survives kills of its processes at random moments, a stop of a minute, and a second run in its folder."""

import filecmp
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from paid_toy import COMPARED, REQUESTS, paid_toy
from provider_server import ProviderServer
from provider_specs import KEY
from small_disk import read_only
from toy_experiment import TABLES, command, environment, snakemake
from tried import Tried

from synthrank.llms.store.store import ReplyStore, folder_of

pytestmark = pytest.mark.torture

KILLS, KILLS_PER_RUN = 50, 10
CONCURRENCY = 2
ARGUMENTS = ("--cores", "2", "--rerun-incomplete", "--", *TABLES)
"""As the profiles of the project; the toy has no profile."""
LARGEST_LEFTOVER = 1_000_000
ORPHANS_S = 300
STOPPED_S = 60


@pytest.fixture(scope="module", autouse=True)
def key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOY_KEY", KEY)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run without a kill."""
    with ProviderServer() as server:
        folder = paid_toy(tmp_path_factory.mktemp("whole") / "toy", server.url, CONCURRENCY)
        snakemake(folder, *ARGUMENTS)
        assert sum(server.asked.values()) == REQUESTS
    return folder


def processes(folder: Path) -> list[int]:
    """Return the processes that work in a folder: the main process, steps, shells and Java."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").resolve(strict=True) == folder:
                found.append(int(entry.name))
    return sorted(found)


def start(folder: Path, scratch: Path) -> subprocess.Popen[str]:
    scratch.mkdir(exist_ok=True)
    with (folder.parent / "log").open("a") as log:
        return subprocess.Popen(
            command(*ARGUMENTS), cwd=folder, env={**environment(), "TMPDIR": str(scratch)}, stdout=log,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


def recover(folder: Path) -> None:
    """Wait until the steps of a killed run have ended, and unlock the folder."""
    deadline = time.monotonic() + ORPHANS_S
    done = None
    while time.monotonic() < deadline:
        done = subprocess.run(
            [sys.executable, "scripts/recover.py"], cwd=folder, env={**environment(), "PYTHONPATH": "src"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not done.returncode and not processes(folder):
            snakemake(folder, "--unlock")
            return
        time.sleep(0.5)
    raise AssertionError(f"processes {processes(folder)} still run after {ORPHANS_S} s: {done and done.stderr}")


def half_files(folder: Path, whole: Path) -> list[str]:
    """Return the files whose bytes differ from those of the whole run."""
    existing = [path for pattern in COMPARED for path in (folder / "results").glob(pattern) if path.is_file()]
    names = [path.relative_to(folder) for path in existing if not any(part[0] == "." for part in path.parts[1:])]
    return [str(name) for name in names if not filecmp.cmp(folder / name, whole / name, shallow=False)]


def missing_files(folder: Path, whole: Path) -> list[str]:
    """Return the files of the whole run that are absent."""
    names = [path.relative_to(whole) for pattern in COMPARED for path in (whole / "results").glob(pattern)]
    return [str(name) for name in names if not (folder / name).exists()]


def leftovers(folder: Path, whole: Path, scratch: Path) -> list[str]:
    """Return files above a megabyte that the whole run does not have."""
    found = [path for path in folder.rglob("*") if path.is_file() and not (whole / path.relative_to(folder)).exists()]
    found += [path for path in scratch.rglob("*") if path.is_file()]
    return [str(path) for path in found if path.stat().st_size > LARGEST_LEFTOVER]


def stored(folder: Path) -> set[str]:
    """Return the prompts whose replies are in the store."""
    with ReplyStore(folder_of(folder / "results/store", "toy")) as store:
        return {reply.messages[-1].content for reply in store.replies()}


def wait_for_requests(server: ProviderServer, main: subprocess.Popen[str], count: int = 3) -> None:
    """Wait until the server has received a number of requests."""
    while sum(server.asked.values()) < count:
        assert main.poll() is None
        time.sleep(0.1)


def finish(folder: Path, whole: Path, server: ProviderServer) -> None:
    """Continue a run that ended early; it must have the bytes of the whole run and have paid each request once."""
    recover(folder)
    assert half_files(folder, whole) == []
    snakemake(folder, *ARGUMENTS)
    assert (half_files(folder, whole), missing_files(folder, whole)) == ([], [])
    assert set(server.asked.values()) == {1}
    assert len(server.asked) == REQUESTS


def test_killed_runs_resume_to_the_same_bytes(
    tmp_path: Path, whole: Path, seconds: float, seed: int, tried: Tried
) -> None:
    """Kills of a random process at a random moment, each followed by a restart"""
    chance, until = random.Random(seed), time.monotonic() + seconds
    longest = 30.0
    for run in count():
        if tried.count >= KILLS or time.monotonic() > until:
            break
        with ProviderServer(latency=0.3) as server:
            folder = paid_toy(tmp_path / f"run-{run}/toy", server.url, CONCURRENCY)
            scratch, begin = folder.parent / "scratch", time.monotonic()
            for _ in range(KILLS_PER_RUN):
                paid = {prompt: server.asked[prompt] for prompt in stored(folder)}
                main, moment = start(folder, scratch), time.monotonic() + chance.uniform(0.5, longest)
                while main.poll() is None and time.monotonic() < moment:
                    time.sleep(0.05)
                if main.poll() is not None:
                    assert main.returncode == 0, (folder.parent / "log").read_text()[-4000:]
                    break
                tried.add()
                with suppress(OSError, IndexError):  # it has ended meanwhile
                    os.kill(chance.choice(processes(folder)), signal.SIGKILL)
                main.wait(ORPHANS_S)
                recover(folder)
                assert half_files(folder, whole) == []
                assert {prompt: server.asked[prompt] for prompt in paid} == paid, "a stored reply was paid for again"
                if time.monotonic() > until:
                    break
            longest = max(10.0, (time.monotonic() - begin) / 3)
            recover(folder)
            snakemake(folder, *ARGUMENTS)
            assert (half_files(folder, whole), missing_files(folder, whole)) == ([], [])
            assert leftovers(folder, whole, scratch) == []
            assert len(server.asked) == REQUESTS
    assert tried.count


def test_no_file_of_a_run_contains_the_key(whole: Path, tmp_path: Path, tried: Tried) -> None:
    """Files of a run that may contain the key: results, logs, metadata of Snakemake"""
    folder = Path(shutil.copytree(whole, tmp_path / "toy", symlinks=True))
    snakemake(folder, "--cores", "2", "--", "results/report.html")
    for path in folder.rglob("*"):
        if path.is_file():
            tried.add()
            assert KEY.encode() not in path.read_bytes(), path
    assert tried.count > 100


def test_a_run_that_was_stopped_for_a_minute_ends_with_the_same_bytes(tmp_path: Path, whole: Path) -> None:
    """SIGSTOP of all processes for a minute during requests"""
    with ProviderServer(latency=1.0) as server:
        folder = paid_toy(tmp_path / "toy", server.url, CONCURRENCY)
        main = start(folder, tmp_path / "scratch")
        wait_for_requests(server, main)
        stopped = processes(folder)
        for signal_number, pause in ((signal.SIGSTOP, STOPPED_S), (signal.SIGCONT, 0)):
            for process in stopped:
                with suppress(ProcessLookupError):
                    os.kill(process, signal_number)
            time.sleep(pause)
        assert main.wait(600) == 0
        assert (half_files(folder, whole), missing_files(folder, whole)) == ([], [])
        assert set(server.asked.values()) == {1}
        assert len(server.asked) == REQUESTS


def test_a_second_run_in_the_same_folder_is_refused_and_harms_nothing(tmp_path: Path, whole: Path) -> None:
    """Two runs of Snakemake in one folder"""
    with ProviderServer(latency=1.0) as server:
        folder = paid_toy(tmp_path / "toy", server.url, CONCURRENCY)
        main = start(folder, tmp_path / "scratch")
        wait_for_requests(server, main, 1)
        second = snakemake(folder, *ARGUMENTS, check=False)
        assert second.returncode
        assert "Directory cannot be locked" in second.stdout
        assert main.wait(600) == 0
        assert (half_files(folder, whole), missing_files(folder, whole)) == ([], [])
        assert set(server.asked.values()) == {1}


def test_a_run_whose_scratch_folder_vanishes_can_be_continued(tmp_path: Path, whole: Path) -> None:
    """The folder of temporary files is removed during requests"""
    with ProviderServer(latency=1.0) as server:
        folder, scratch = paid_toy(tmp_path / "toy", server.url, CONCURRENCY), tmp_path / "scratch"
        main = start(folder, scratch)
        wait_for_requests(server, main)
        shutil.rmtree(scratch, ignore_errors=True)
        main.wait(600)
        finish(folder, whole, server)


def test_a_run_whose_results_become_read_only_can_be_continued(tmp_path: Path, whole: Path) -> None:
    """The results become read-only during requests"""
    with ProviderServer(latency=1.0) as server:
        folder = paid_toy(tmp_path / "toy", server.url, CONCURRENCY)
        main = start(folder, tmp_path / "scratch")
        wait_for_requests(server, main)
        with read_only(folder / "results"):
            assert main.wait(ORPHANS_S)
            assert "Read-only file system" in (tmp_path / "log").read_text()
        finish(folder, whole, server)
