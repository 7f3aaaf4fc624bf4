"""The step around a training: what is written, and that nothing is where training fails."""

import json

import pytest

from synthrank.checkpoints import train_ranker as module
from synthrank.checkpoints.train_ranker import train_ranker
from synthrank.errors import BudgetError, DataError
from synthrank.files import write_jsonl
from synthrank.rankers.base import TrainingLog
from synthrank.records import Candidate, Group

SPEC = {
    "architecture": "bi-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "multiple-negatives",
    "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2},
}  # fmt: skip
GROUPS = [Group(f"q{number}", "x", (Candidate("a", "t", 1.0), Candidate("b", "u", 0.0))) for number in range(3)]


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Return a function that runs the step with a training that is told what to do."""
    (tmp_path / "my-ranker.yaml").write_text(json.dumps(SPEC))

    def do(train, groups=GROUPS):
        monkeypatch.setattr(module, "train", train)
        write_jsonl(tmp_path / "g.jsonl", groups)
        train_ranker(trainset=tmp_path / "g.jsonl", spec=tmp_path / "my-ranker.yaml", base=tmp_path / "base", seed=5,
                     checkpoint=tmp_path / "out/seed-5")  # fmt: skip
        return tmp_path / "out/seed-5"

    return do


def test_the_settings_and_the_loss_stand_beside_the_model(call, tmp_path):
    given = []

    def train(*arguments):
        given.extend(arguments)
        arguments[-1].mkdir()
        (arguments[-1] / "model.safetensors").touch()
        return TrainingLog(((1, 0.5), (2, 0.25)), 2)

    folder = call(train)
    assert sorted(path.name for path in folder.iterdir()) == ["loss.csv", "model.safetensors", "training.json"]
    assert (folder / "loss.csv").read_text() == "update,loss\n1,0.5\n2,0.25\n"
    made = json.loads((folder / "training.json").read_text())
    assert (made["ranker"], made["seed"], made["groups"], made["updates"]) == ("my-ranker", 5, 3, 2)
    assert made["settings"]["temperature"] == 0.05, "defaults are written too"
    spec, base, groups, seed, _ = given
    assert (spec.loss, base, groups, seed) == ("multiple-negatives", tmp_path / "base", GROUPS, 5)


def test_a_training_that_fails_leaves_nothing(call, tmp_path):
    def train(*arguments):
        arguments[-1].mkdir()
        (arguments[-1] / "model.safetensors").touch()
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        call(train)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_empty_training_set_is_an_error(call, tmp_path):
    with pytest.raises(BudgetError, match=r"g\.jsonl: no training group; nothing can be learnt from it"):
        call(None, [])
    assert not (tmp_path / "out").exists()


def test_a_training_set_of_something_else_is_named(call):
    with pytest.raises(DataError, match=r"g\.jsonl:1: not a Group \(unknown key 'id'"):
        call(None, [Candidate("a", "t", 1.0)])
