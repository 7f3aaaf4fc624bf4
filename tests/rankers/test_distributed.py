"""Two processes that share every batch train, resume and fail like one process."""

import importlib.util
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import toy_task as toy
from safetensors.torch import load_file
from tiny_models import tiny_t5

from synthrank.data.files import write_jsonl
from synthrank.errors import BudgetError, ConfigError, ModelError
from synthrank.rankers import distributed, train
from synthrank.rankers.base import Training
from synthrank.rankers.resume import COMPLETE, last_complete
from synthrank.rankers.trainers import FilledBatches
from synthrank.runtime.progress import Progress

HERE = Path(__file__).parent
SUPPORT = HERE.parent / "support"
TORCHRUN = [Path(sys.executable).with_name("torchrun"), "--standalone", "--nproc-per-node", "2"]


def module(name):
    found = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    made = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


def torchrun(*arguments, **variables):
    """Start two processes of a script that may import this folder's modules."""
    paths = os.pathsep.join([str(HERE), str(HERE.parents[1] / "src"), str(SUPPORT)])
    return subprocess.Popen(
        [*TORCHRUN, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


two = module("two_processes")
CASES = sorted(two.CASES)
LOSS = 1e-4
"""Tolerance between the losses of two processes and of one process, which sums in another order."""

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def calm(tmp_path_factory, encoder):
    """Return a folder of bases by architecture, without dropout, and one base `rough` with dropout."""
    folder = tmp_path_factory.mktemp("processes")
    shutil.copytree(encoder, folder / "rough")
    tiny_t5(folder / "calm/seq2seq")
    for name in ("bi-encoder", "cross-encoder"):
        shutil.copytree(encoder, folder / "calm" / name)
    for path in (folder / "calm").glob("*/config.json"):
        config = json.loads(path.read_text())
        path.write_text(json.dumps(config | {key: 0.0 for key in config if "dropout" in key}))
    return folder


@pytest.fixture(scope="module")
def trained(calm):
    """Return the folder in which two processes trained all cases, and two checkpoints of the step."""
    write_jsonl(calm / "groups.jsonl", toy.groups(18))  # not a multiple of four
    spec = two.ranker("in-batch", 2, epochs=1, save_every=2).model_dump(mode="json", exclude_none=True)
    grid = {"learning_rates": two.RATES, "updates": [2, 5], "measure": "nDCG@4", "retriever": "bm25", "depth": 4}
    for name, settings in (("plain", spec), ("selected", spec | {"selection": grid})):
        (calm / f"{name}.yaml").write_text(json.dumps(settings))
    running = torchrun(HERE / "two_processes.py", calm)
    text, _ = running.communicate()
    assert running.returncode == 0, text
    return calm


@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_the_same_model_as_one(trained, tmp_path, name):
    spec = two.ranker(name, 1)
    log = train(spec, Training(trained / "calm" / spec.architecture, toy.groups(two.GROUPS), 1), tmp_path / "one")
    updates, losses = json.loads((trained / f"{name}.json").read_text())
    assert updates == log.updates == two.GROUPS // 4 * spec.optimiser.epochs // spec.optimiser.accumulation
    assert [place for place, _ in losses] == [place for place, _ in log.losses] == list(range(1, updates + 1))
    assert [loss for _, loss in losses] == pytest.approx([loss for _, loss in log.losses], abs=LOSS)
    assert len({round(loss, 3) for _, loss in losses}) > 1, "it learns"
    one, other = (load_file(folder / "model.safetensors") for folder in (tmp_path / "one", trained / "two" / name))
    assert one.keys() == other.keys()
    # AdamW moves weights without gradient, such as an attention key's bias, by the sign of rounding errors, so the
    # test compares means.
    apart = torch.cat([(one[key] - other[key]).abs().flatten() for key in one])
    assert float(apart.mean()) < LOSS


@pytest.mark.parametrize("name", ["killed", "stopped"])
def test_two_resumed_processes_write_the_same_bytes(trained, name):
    whole, resumed = (trained / "two" / each / "model.safetensors" for each in ("whole", name))
    assert resumed.read_bytes() == whole.read_bytes()


def test_all_processes_stop_after_a_sigterm_to_one(trained):
    message, resumed_at = json.loads((trained / "stopped.json").read_text())
    assert message == "StoppedError: SIGTERM: stopped after update 5; run the same command to resume"
    assert resumed_at == 5
    assert json.loads((trained / "killed.json").read_text())[1] == 4
    for name in ("killed", "stopped", "whole"):
        for state in (trained / f"{name}.state").iterdir():
            assert {path.name for path in state.iterdir()} == {
                COMPLETE, "model.safetensors", "optimizer.pt", "rng_state_0.pth", "rng_state_1.pth", "scheduler.pt",
                "trainer_state.json",
            }  # fmt: skip


def test_each_process_has_different_random_numbers(trained):
    state = max((trained / "whole.state").iterdir())
    # The file contains numpy's state, which needs weights_only=False; this test wrote it.
    first, second = (torch.load(state / f"rng_state_{rank}.pth", weights_only=False)["cpu"] for rank in (0, 1))
    assert not torch.equal(first, second)


def test_train_ranker_of_two_processes_writes_one_checkpoint(trained):
    folder = trained / "plain/seed-3"
    assert [path.name for path in folder.parent.iterdir()] == ["seed-3"], "no state, no other process's folder"
    made = json.loads((folder / "training.json").read_text())
    assert (made["settings"]["gpus"], made["groups"], made["pairs"]) == (2, 18, 72)
    assert made["updates"] == 5, "also trains on the last, incomplete batch"
    lines = (folder / "loss.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["update", "1", "2", "3", "4", "5"]
    assert load_file(folder / "model.safetensors")


def test_two_processes_resume_a_selection(trained, tmp_path):
    folder = trained / "selected/seed-3"
    assert [path.name for path in folder.parent.iterdir()] == ["seed-3"], "no state, no other process's folder"
    trials = json.loads((folder / "selection.json").read_text())["trials"]
    points = [(rate, updates) for rate in two.RATES for updates in (2, 5)]
    assert [(item["learning_rate"], item["updates"]) for item in trials] == points
    (chosen,) = [item for item in trials if item["chosen"]]
    assert chosen["value"] == max(item["value"] for item in trials)
    assert json.loads((folder / "training.json").read_text())["updates"] == chosen["updates"]
    if chosen["updates"] == 5:
        plain = load_file(trained / "plain/seed-3/model.safetensors")
        same = all(torch.equal(plain[key], found) for key, found in load_file(folder / "model.safetensors").items())
        assert same == (chosen["learning_rate"] == 1e-3), "the plain training has that rate"


def test_filled_batches_have_the_order_of_one_process(tmp_path):
    def batches(processes, size, count):
        generator = torch.Generator().manual_seed(3)
        made = FilledBatches(range(count), processes=processes, batch_size=size, generator=generator, seed=1)
        assert len(made) == len(list(made))
        return [row for batch in made for row in batch]

    whole = batches(1, 4, 20)
    assert sorted(whole) == list(range(20))
    assert batches(2, 2, 20) == whole
    assert batches(2, 4, 20) == whole + whole[:4]
    assert batches(2, 8, 3)[:6] == batches(1, 3, 3) * 2, "fewer rows than one batch"


def test_ranker_file_refuses_a_batch_size_not_divisible_by_gpus():
    with pytest.raises(ConfigError) as error:
        toy.spec("bi-encoder", "ranknet", batch_size=6, gpus=4)
    assert str(error.value) == (
        "toy: gpus: 4 GPUs cannot share optimiser.batch_size 6 equally; state a multiple of 4, and a smaller "
        "accumulation for the same number of groups per update"
    )
    assert toy.spec("bi-encoder", "ranknet", batch_size=6, gpus=3).gpus == 3


@pytest.fixture
def one_of_two(tmp_path, monkeypatch):
    """Return a function that sets the variables of torchrun for one of two processes."""
    signals, root = [], logging.getLogger()
    monkeypatch.setattr("torch.multiprocessing._prctl_pr_set_pdeathsig", signals.append)
    monkeypatch.setenv("SYNTHRANK_PROGRESS", "bar")
    monkeypatch.delenv("CI", raising=False)
    level = root.level

    def be(rank):
        (tmp_path / str(rank)).mkdir(exist_ok=True)
        own = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2}
        for name, value in {**own, "TORCHELASTIC_ERROR_FILE": tmp_path / f"{rank}/error.json"}.items():
            monkeypatch.setenv(name, str(value))

    yield be
    root.setLevel(level)
    assert set(signals) <= {signal.SIGTERM}


def test_join_processes_raises_only_the_first_error(one_of_two):
    one_of_two(1)
    with pytest.raises(BudgetError, match=r"^no positive$"), distributed.join_processes(2):
        raise BudgetError("no positive")
    one_of_two(0)
    for error in (BudgetError("no positive"), RuntimeError("connection closed")):
        with pytest.raises(SystemExit) as raised, distributed.join_processes(2):
            raise error
        assert raised.value.code == 1


def test_join_processes_logs_only_in_the_first_process(one_of_two, caplog):
    def logged(rank):
        caplog.clear()
        one_of_two(rank)
        with distributed.join_processes(2):
            Progress(1, "updates").__exit__(None, None, None)
        return [record.getMessage()[:14] for record in caplog.records], os.environ["SYNTHRANK_PROGRESS"]

    logging.getLogger().setLevel(logging.INFO)
    assert distributed.is_first()
    assert logged(0) == (["0 of 1 updates"], "bar")
    assert distributed.is_first()
    assert logged(1) == ([], "log")
    assert not distributed.is_first()


def test_last_complete_removes_torn_states_in_the_first_process(one_of_two, tmp_path):
    for number in (2, 4):
        (tmp_path / f"checkpoint-{number}").mkdir()
    (tmp_path / "checkpoint-2" / COMPLETE).touch()
    for rank, left in ((1, [2, 4]), (0, [2])):
        one_of_two(rank)
        assert last_complete(tmp_path) == tmp_path / "checkpoint-2"
        assert sorted(tmp_path.glob("checkpoint-*")) == [tmp_path / f"checkpoint-{number}" for number in left]


def test_join_processes_selects_a_gpu_per_process(one_of_two, monkeypatch):
    taken = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    for rank in (0, 1):
        one_of_two(rank)
        with distributed.join_processes(2):
            pass
    assert taken == [0, 1]


def test_join_processes_refuses_more_gpus_than_available(one_of_two, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    one_of_two(0)
    with pytest.raises(ModelError) as error, distributed.join_processes(2):
        pass
    assert str(error.value) == "gpus: 2 requested, 1 available; set at most 1"


@pytest.mark.parametrize(("gpus", "processes"), [(2, None), (4, 2), (1, 2)])
def test_join_processes_refuses_another_number_of_processes(one_of_two, monkeypatch, gpus, processes):
    one_of_two(0)
    if processes is None:
        monkeypatch.delenv("WORLD_SIZE")
    with pytest.raises(ConfigError) as error, distributed.join_processes(gpus):
        pass
    assert str(error.value) == (
        f"gpus: {gpus} requested, but {processes or 1} training processes run; start them with "
        f"`torchrun --standalone --nproc-per-node {gpus}`"
    )


STUB = """
import os, signal, sys, time
from pathlib import Path
from synthrank.cli import run
from synthrank.errors import BudgetError
from synthrank.rankers.distributed import is_first, join_processes

def step() -> None:
    folder = Path(__file__).parent
    def stop(*_):
        (folder / f"stopped-{os.getpid()}").touch()
        sys.exit(1)
    signal.signal(signal.SIGTERM, stop)
    with join_processes(2):
        if not is_first() and FAILS:
            raise BudgetError("query q1: no positive")
        (folder / f"began-{os.getpid()}").touch()
        time.sleep(600)

run(step)
"""


@pytest.fixture
def stub(tmp_path):
    """Return a function that starts two processes; the second fails if ``fails`` is true, the others wait."""
    started = []

    def start(fails):
        (tmp_path / "stub.py").write_text(STUB.replace("FAILS", str(fails)))
        started.append(torchrun(tmp_path / "stub.py"))
        return started[-1]

    yield start
    for running in started:
        running.kill()
        running.communicate()


def test_torchrun_stops_all_processes_with_the_error_of_one(stub):
    running = stub(fails=True)
    text, _ = running.communicate(timeout=600)
    assert running.returncode == 1
    assert [line for line in text.splitlines() if line.startswith("error: ")] == ["error: query q1: no positive"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_processes_receive_sigterm_if_torchrun_is_stopped_or_killed(stub, tmp_path, number):
    running = stub(fails=False)

    def pids(what, count):
        end = time.monotonic() + 600
        while len(found := [path.name.split("-")[1] for path in tmp_path.glob(f"{what}-*")]) < count:
            assert time.monotonic() < end, f"{found} {what}"
            time.sleep(0.05)
        return sorted(found)

    began = pids("began", 2)
    running.send_signal(number)
    assert pids("stopped", 2) == began
