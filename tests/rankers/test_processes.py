"""Two processes that share every batch train as one does, are resumed as one is, and fail as one does."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import tiny_t5

from synthrank.checkpoints.train_ranker import train_ranker
from synthrank.errors import BudgetError, ConfigError, ModelError
from synthrank.files import write_jsonl
from synthrank.rankers import processes, train
from synthrank.rankers.states import COMPLETE
from synthrank.rankers.trainers import FilledBatches

HERE = Path(__file__).parent


def module(name):
    found = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    made = sys.modules[name] = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


toy = module("toy_task")
two = module("two_processes")
CASES = sorted(two.CASES)
LOSS = 1e-4
"""How far the loss of two processes may be from that of one, which sums in another order."""

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def calm(tmp_path_factory, encoder):
    """Return a folder of bases without dropout by architecture, and a rough one with it."""
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
    """Return the folder in which two processes did all of their cases, and the step's checkpoint in ``out``."""
    write_jsonl(calm / "groups.jsonl", toy.groups(18))  # which four do not divide
    spec = two.ranker("in-batch", 2, epochs=1, save_every=2)
    (calm / "r.yaml").write_text(json.dumps(spec.model_dump(mode="json", exclude_none=True)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWO_PROCESSES", str(calm))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))
        patch.setattr(processes, "MODULE", "two_processes")
        train_ranker(trainset=calm / "groups.jsonl", spec=calm / "r.yaml", base=calm / "calm/bi-encoder", seed=3,
                     development=[], checkpoint=calm / "out/seed-3")  # fmt: skip
    return calm


@pytest.mark.parametrize("name", CASES)
def test_two_processes_have_the_losses_and_the_model_of_one(trained, tmp_path, name):
    spec = two.ranker(name, 1)
    log = train(spec, trained / "calm" / spec.architecture, toy.groups(two.GROUPS), 1, tmp_path / "one")
    updates, losses = json.loads((trained / f"{name}.json").read_text())
    assert updates == log.updates == two.GROUPS // 4 * spec.optimiser.epochs // spec.optimiser.accumulation
    assert [place for place, _ in losses] == [place for place, _ in log.losses] == list(range(1, updates + 1))
    assert [loss for _, loss in losses] == pytest.approx([loss for _, loss in log.losses], abs=LOSS)
    assert len({round(loss, 3) for _, loss in losses}) > 1, "it learns"
    one, other = (load_file(folder / "model.safetensors") for folder in (tmp_path / "one", trained / "two" / name))
    assert one.keys() == other.keys()
    # AdamW moves a weight without gradient, such as an attention key's bias, by the sign of its rounding errors: the
    # mean tells.
    apart = torch.cat([(one[key] - other[key]).abs().flatten() for key in one])
    assert float(apart.mean()) < LOSS


@pytest.mark.parametrize("name", ["killed", "told"])
def test_two_processes_that_are_resumed_give_the_same_bytes(trained, name):
    whole, resumed = (trained / "two" / each / "model.safetensors" for each in ("whole", name))
    assert resumed.read_bytes() == whole.read_bytes()


def test_all_processes_end_after_the_update_in_which_one_is_told_to(trained):
    message, resumed_at = json.loads((trained / "told.json").read_text())
    assert message == "StoppedError: told to end after update 5; the same command goes on from there"
    assert resumed_at == 5
    assert json.loads((trained / "killed.json").read_text())[1] == 4
    for name in ("killed", "told", "whole"):
        for state in (trained / f"{name}.state").iterdir():
            assert {path.name for path in state.iterdir()} == {
                COMPLETE, "model.safetensors", "optimizer.pt", "rng_state_0.pth", "rng_state_1.pth", "scheduler.pt",
                "trainer_state.json",
            }  # fmt: skip


def test_every_process_has_random_numbers_of_its_own(trained):
    state = max((trained / "whole.state").iterdir())
    # The file holds numpy's state too, which a load of weights alone refuses; this test made it.
    first, second = (torch.load(state / f"rng_state_{rank}.pth", weights_only=False)["cpu"] for rank in (0, 1))
    assert not torch.equal(first, second)


def test_the_step_writes_one_checkpoint(trained):
    folder = trained / "out/seed-3"
    assert [path.name for path in folder.parent.iterdir()] == ["seed-3"], "no state, no other process's folder"
    made = json.loads((folder / "training.json").read_text())
    assert (made["settings"]["gpus"], made["groups"], made["pairs"]) == (2, 18, 72)
    assert made["updates"] == 5, "what fills no batch is trained on too"
    lines = (folder / "loss.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["update", "1", "2", "3", "4", "5"]
    assert load_file(folder / "model.safetensors")


def test_batches_of_several_processes_lie_as_those_of_one(tmp_path):
    def batches(processes, size, count):
        generator = torch.Generator().manual_seed(3)
        made = FilledBatches(range(count), processes=processes, batch_size=size, generator=generator, seed=1)
        assert len(made) == len(list(made))
        return [row for batch in made for row in batch]

    whole = batches(1, 4, 20)
    assert sorted(whole) == list(range(20))
    assert batches(2, 2, 20) == whole
    assert batches(2, 4, 20) == whole + whole[:4]
    assert batches(2, 8, 3)[:6] == batches(1, 3, 3) * 2, "fewer rows than a batch has"


def test_a_batch_that_the_gpus_cannot_share_is_refused():
    with pytest.raises(ConfigError) as error:
        toy.spec("bi-encoder", "ranknet", batch_size=6, gpus=4)
    assert str(error.value) == (
        "toy: gpus: got 4; they cannot share optimiser.batch_size 6 equally; state a multiple of 4 there, and a "
        "smaller accumulation for as many groups an update"
    )
    assert toy.spec("bi-encoder", "ranknet", batch_size=6, gpus=3).gpus == 3


STUB = """
import json, os, sys, time
rank, folder = int(os.environ["RANK"]), sys.argv[1]
if rank == 0:
    time.sleep(600)
if "{kind}":
    with open(os.path.join(folder, "error-1.json"), "w") as stream:
        json.dump(dict(kind="{kind}", message="query q1: no positive"), stream)
sys.exit(1)
"""


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("BudgetError", BudgetError, "query q1: no positive"),
        ("", ModelError, "one of 2 training processes was killed; its memory, or the job's, was too small"),
    ],
)
def test_a_process_that_fails_ends_the_others_and_says_why(tmp_path, monkeypatch, kind, error, message):
    (tmp_path / "stub.py").write_text(STUB.replace("{kind}", kind))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(error) as raised:
        processes.start(2, "stub", tmp_path)
    assert str(raised.value) == message


def test_an_error_of_ours_comes_before_those_that_follow_from_it(tmp_path):
    told = [("0", "RuntimeError", "connection closed"), ("1", "ModelError", "the loss is nan"), ("2", "OSError", "x")]
    for rank, kind, message in told:
        (tmp_path / f"error-{rank}.json").write_text(json.dumps({"kind": kind, "message": message}))
    assert str(processes._error_of(tmp_path, 3)) == "the loss is nan"
    (tmp_path / "error-1.json").unlink()
    os.utime(tmp_path / "error-2.json", (1, 1))
    assert str(processes._error_of(tmp_path, 3)) == (
        "one of 3 training processes failed: OSError: x; its traceback is above"
    )


def test_the_signal_to_end_reaches_the_processes():
    """A process that waits stands for torchrun; it ends by the signal that its parent passes on."""
    code = "import os, signal, time; input(); os.kill(os.getppid(), signal.SIGTERM); time.sleep(600)"
    running = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    with processes._passed_on(running):
        running.stdin.write(b"\n")
        running.stdin.close()
        assert running.wait() == -15
