"""The toy on SLURM, with three kills of the main process, gives the same bytes as a local run."""

import filecmp
import os
import random
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from paid_toy import COMPARED, REQUESTS, paid_toy
from provider_server import ProviderServer
from provider_specs import KEY
from slurm.cluster import Cluster
from slurm.heads import Head, Site
from toy_experiment import TABLES, snakemake

from synthrank.llms.store.store import ReplyStore, folder_of

pytestmark = pytest.mark.slurm

CONCURRENCY = 2


@dataclass
class Kill:
    """One kill: output of `make recover` before and after it, and the requests and steps until then."""

    alive: str
    dead: str
    asked: int
    stored: int
    steps: int


@dataclass
class Survivor:
    """An experiment that was killed and resumed."""

    site: Site
    last: str
    kills: dict[signal.Signals, Kill] = field(default_factory=dict)
    seed: int = 0


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with ProviderServer(latency=1.0) as served:
        yield served


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, server: ProviderServer) -> Survivor:
    """Kill the main process during paid requests, then twice after more steps, and resume each time."""
    seed = int(os.environ.get("SYNTHRANK_TEST_SEED") or random.SystemRandom().randrange(10**6))
    moments = random.Random(seed)
    site = Site(
        paid_toy(tmp_path_factory.mktemp("slurm") / "toy", server.url, CONCURRENCY),
        cluster,
        SYNTHRANK_DATA="data",
        TOY_KEY=KEY,
    )
    found = Survivor(site, "", seed=seed)
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        before, asked, more = len(site.steps()), moments.randint(2, 9), moments.randint(1, 4)
        head = site.start("--", *TABLES)
        if number is signal.SIGKILL:
            head.until(lambda asked=asked: sum(server.asked.values()) >= asked, 600)
        else:
            head.until(lambda most=before + more: len(site.steps()) >= most, 600)
        found.kills[number] = killed(site, head, number, server)
    found.last = site.start("--", *TABLES).succeed(900)
    return found


def killed(site: Site, head: Head, number: signal.Signals, server: ProviderServer) -> Kill:
    refused = site.make("recover")
    assert refused.returncode
    head.end(number)
    head.wait(180)
    done = site.make("recover")
    assert not done.returncode, done.stdout + done.stderr
    with ReplyStore(folder_of(site.folder / "results/store", "toy")) as store:
        stored = store.summary().replies
    return Kill(refused.stderr, done.stdout, sum(server.asked.values()), stored, len(site.steps()))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, survivor: Survivor) -> Iterator[Path]:
    """Return the folder of the same experiment, run on this machine with its own replies."""
    with ProviderServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOY_KEY", KEY)
        folder = paid_toy(tmp_path_factory.mktemp("local") / "toy", server.url, CONCURRENCY)
        snakemake(folder, "--cores", "2", "--", *TABLES)
        yield folder


def test_all_files_are_those_of_a_run_on_one_machine(survivor: Survivor, local: Path) -> None:
    compared = []
    for pattern in COMPARED:
        for path in (local / "results").glob(pattern):
            name = path.relative_to(local)
            assert filecmp.cmp(path, survivor.site.folder / name, shallow=False), f"{name}, seed {survivor.seed}"
            compared.append(str(name))
    assert set(TABLES) <= set(compared)
    assert len(compared) >= 12


def test_no_step_ran_twice_at_the_same_time(survivor: Survivor) -> None:
    steps = survivor.site.steps()
    assert {word for word, *_ in steps} == {"start"}, f"seed {survivor.seed}"
    assert {script for *_, script in steps} >= {"generate_passages", "train_ranker", "make_tables"}


def test_no_stored_request_was_paid_again(survivor: Survivor, server: ProviderServer) -> None:
    """Only requests in flight when a job was cancelled are sent again."""
    kills = survivor.kills.values()
    lost = max(kill.asked - kill.stored for kill in kills)
    assert lost <= CONCURRENCY * len(kills), f"seed {survivor.seed}"
    assert sum(server.asked.values()) == REQUESTS + lost
    assert len(server.asked) == REQUESTS


def test_recover_refuses_while_the_main_process_runs(survivor: Survivor) -> None:
    for number, kill in survivor.kills.items():
        lines = [line for line in kill.alive.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, number
        assert "still runs the workflow here" in lines[0]
        assert "no jobs of earlier runs are left" in kill.dead
        assert "run the same command to continue" in kill.dead
    assert re.match(r"[1-9]\d* SLURM jobs cancelled", survivor.kills[signal.SIGKILL].dead)


def test_a_chain_of_tiny_steps_is_one_job(survivor: Survivor) -> None:
    """Unless the main process was killed after the first of them, whose results are kept."""
    steps = survivor.site.steps()
    jobs = {script: job for _, job, script in steps}
    last = {script: place for place, (*_, script) in enumerate(steps)}
    between = range(last["concatenate_replies"] + 1, last["filter_passages"] + 1)
    killed = any(kill.steps in between for kill in survivor.kills.values())
    assert killed or jobs["concatenate_replies"] == jobs["filter_passages"], f"seed {survivor.seed}"
    assert jobs["generate_passages"] != jobs["filter_passages"]


def test_a_finished_experiment_has_nothing_left_to_do(survivor: Survivor) -> None:
    head = survivor.site.start("--dry-run", "--", *TABLES)
    assert "Nothing to be done" in head.succeed(300)
