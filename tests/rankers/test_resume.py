"""A killed training resumes and ends with the same weights."""

import json

import pytest
import torch
import toy_task as toy
from safetensors.torch import load_file
from tiny_models import tiny_llm, tiny_t5

from synthrank.data.files import write_jsonl
from synthrank.rankers import trainers
from synthrank.rankers.resume import COMPLETE, last_complete, remove_states, state_of
from synthrank.steps.checkpoints.train_ranker import train_ranker

pytestmark = pytest.mark.usefixtures("one_thread")


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def bases(tmp_path_factory, encoder):
    folder = tmp_path_factory.mktemp("bases")
    t5, llm = tiny_t5(folder / "t5"), tiny_llm(folder / "llm")
    return {"cross-encoder": encoder, "bi-encoder": encoder, "seq2seq": t5, "decoder": llm}


@pytest.fixture
def job(tmp_path, bases, monkeypatch):
    """Return a function that trains by the step, and kills the training after ``kill`` updates."""
    write_jsonl(tmp_path / "groups.jsonl", toy.groups(12))

    def do(name, architecture="seq2seq", kill=None, seed=1, loss="ranknet", **optimiser):
        def on_step_end(self, args, state, control, **_):
            real(self, args, state, control)
            if state.global_step == kill:
                raise KilledError

        real = trainers.ProgressCallback.on_step_end
        # per epoch 6 batches and 3 updates, 9 updates in total
        settings = {"learning_rate": 3e-3, "epochs": 3, "batch_size": 2, "accumulation": 2, **optimiser}
        spec = toy.spec(architecture, loss, optimiser=settings)
        (tmp_path / "ranker.yaml").write_text(json.dumps(spec.model_dump(mode="json", exclude_none=True)))
        with monkeypatch.context() as patch:
            patch.setattr(trainers.ProgressCallback, "on_step_end", on_step_end)
            train_ranker(trainset=tmp_path / "groups.jsonl", spec=tmp_path / "ranker.yaml", base=bases[architecture],
                         seed=seed, development=[], checkpoint=tmp_path / name / f"seed-{seed}")  # fmt: skip
        return tmp_path / name / f"seed-{seed}"

    return do


def states(folder):
    return sorted(path.name for path in folder.glob(".seed-*/checkpoint-*"))


@pytest.mark.parametrize(
    ("architecture", "loss", "kill"),
    [
        ("seq2seq", "lambda", 4),  # at the end of the first epoch
        ("seq2seq", "lambda", 5),  # within the second
        ("seq2seq", "lambda", 8),
        ("cross-encoder", "ranknet", 5),
        ("decoder", "ranknet", 5),
        ("bi-encoder", "multiple-negatives", 5),
    ],
)
def test_resumed_training_gives_the_same_weights(job, tmp_path, architecture, loss, kill):
    whole = job("whole", architecture, loss=loss)
    with pytest.raises(KilledError):
        job("killed", architecture, kill=kill, save_every=2, loss=loss)
    assert [path.name[:14] for path in (tmp_path / "killed").iterdir()] == [".seed-1.state-"], "no checkpoint"
    resumed = job("killed", architecture, save_every=2, loss=loss)
    made = json.loads((resumed / "training.json").read_text())
    last = kill - 1 - (kill - 1) % 2  # the callback kills before the state of this update is written
    assert (made["resumed_at"], made["updates"]) == (last, 9)
    expected, found = (load_file(folder / "model.safetensors") for folder in (whole, resumed))
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name
    assert (resumed / "loss.csv").read_text().splitlines()[-1] == (whole / "loss.csv").read_text().splitlines()[-1]
    assert {path.name for path in resumed.iterdir()} == {path.name for path in whole.iterdir()}
    assert [path.name for path in resumed.parent.iterdir()] == ["seed-1"], "the states are removed"


def test_trainer_keeps_two_states_without_arguments(job, tmp_path):
    with pytest.raises(KilledError):
        job("killed", kill=8, save_every=2)
    assert states(tmp_path / "killed") == ["checkpoint-4", "checkpoint-6"]
    for path in (tmp_path / "killed").glob(".seed-1.state-*/checkpoint-*"):
        assert {item.name for item in path.iterdir()} == {
            COMPLETE, "model.safetensors", "optimizer.pt", "rng_state.pth", "scheduler.pt", "trainer_state.json"
        }  # fmt: skip


def test_last_complete_ignores_a_torn_state(job, tmp_path):
    with pytest.raises(KilledError):
        job("killed", kill=8, save_every=2)
    (folder,) = (tmp_path / "killed").glob(".seed-1.state-*")
    (folder / "checkpoint-6" / COMPLETE).unlink()
    (folder / "checkpoint-6/model.safetensors").write_bytes(b"torn")
    assert last_complete(folder) == folder / "checkpoint-4"
    assert [path.name for path in folder.iterdir()] == ["checkpoint-4"]
    assert json.loads((job("killed", save_every=2) / "training.json").read_text())["resumed_at"] == 4


@pytest.mark.parametrize("what", ["groups", "settings", "seed", "base"])
def test_training_never_resumes_from_a_state_of_other_inputs(job, tmp_path, bases, monkeypatch, what):
    with pytest.raises(KilledError):
        job("killed", kill=3, save_every=2)
    changed = {"seed": 2} if what == "seed" else {"save_every": 2, "weight_decay": 0.1} if what == "settings" else {}
    if what == "groups":
        write_jsonl(tmp_path / "groups.jsonl", toy.groups(11))
    if what == "base":
        monkeypatch.setitem(bases, "seq2seq", tiny_t5(tmp_path / "other"))
        weights = tmp_path / "other/model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    made = job("killed", **{"save_every": 2, **changed})
    assert json.loads((made / "training.json").read_text())["resumed_at"] == 0
    left = {path.name[:14] for path in made.parent.iterdir()}
    # another seed is another job, which may be running
    assert left == ({".seed-1.state-", "seed-2"} if what == "seed" else {"seed-1"})


def test_training_without_save_every_keeps_no_state(job, tmp_path):
    with pytest.raises(KilledError):
        job("killed", kill=3, save_every=2)
    with pytest.raises(KilledError):
        job("killed", kill=3)
    assert list((tmp_path / "killed").iterdir()) == []


def test_state_of_depends_on_all_inputs_of_the_weights(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base/model.safetensors").write_bytes(b"1")
    (tmp_path / "groups.jsonl").write_text("x")

    def name(settings="s", seed=1):
        return state_of(tmp_path / "out/seed-1", settings, tmp_path / "groups.jsonl", tmp_path / "base", seed)

    first = name()
    assert first.parent == tmp_path / "out"
    assert len(first.name.removeprefix(".seed-1.state-")) == 16
    assert len({first, name("t"), name(seed=2)}) == 3
    (tmp_path / "base/training.json").write_text("{}")
    (tmp_path / "base/loss.csv").write_text("")
    assert name() == first, "training times of the base have no effect"
    (tmp_path / "base/config.json").write_text("{}")
    assert name() != first


def test_remove_states_keeps_states_of_other_seeds(tmp_path):
    for name in (".seed-1.state-a", ".seed-1.state-b", ".seed-11.state-c", ".seed-1.xyz"):
        (tmp_path / name).mkdir()
    remove_states(tmp_path / "seed-1", but=tmp_path / ".seed-1.state-b")
    assert {path.name for path in tmp_path.iterdir()} == {".seed-1.state-b", ".seed-11.state-c", ".seed-1.xyz"}


@pytest.mark.parametrize("architecture", ["cross-encoder", "bi-encoder"])
def test_max_updates_is_independent_of_the_training_set(tmp_path, bases, architecture):
    loss = "ranknet" if architecture == "cross-encoder" else "multiple-negatives"
    spec = toy.spec(architecture, loss, optimiser={"epochs": None, "max_updates": 5, "batch_size": 4})
    (tmp_path / "ranker.yaml").write_text(json.dumps(spec.model_dump(mode="json", exclude_none=True)))
    for size in (6, 24):
        write_jsonl(tmp_path / f"{size}.jsonl", toy.groups(size))
        train_ranker(trainset=tmp_path / f"{size}.jsonl", spec=tmp_path / "ranker.yaml", base=bases[architecture],
                     seed=1, development=[], checkpoint=tmp_path / f"{size}/seed-1")  # fmt: skip
        made = json.loads((tmp_path / f"{size}/seed-1/training.json").read_text())
        assert (made["groups"], made["updates"]) == (size, 5)
