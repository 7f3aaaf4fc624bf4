"""Step train_ranker: its output files, and no output if training fails."""

import json

import pytest

from synthrank.data.files import write_jsonl
from synthrank.data.records import Candidate, Group
from synthrank.errors import BudgetError, DataError
from synthrank.rankers.base import Training, TrainingLog
from synthrank.steps.checkpoints import train_ranker as module
from synthrank.steps.checkpoints.train_ranker import train_ranker

SPEC = {
    "architecture": "bi-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "multiple-negatives",
    "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2},
}  # fmt: skip
GROUPS = [Group(f"q{number}", "x", (Candidate("a", "t", 1.0), Candidate("b", "u", 0.0))) for number in range(3)]


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Return a function that runs the step with a replaced training function."""
    (tmp_path / "my-ranker.yaml").write_text(json.dumps(SPEC))

    def do(train, groups=GROUPS):
        monkeypatch.setattr(module, "train", train)
        write_jsonl(tmp_path / "g.jsonl", groups)
        train_ranker(trainset=tmp_path / "g.jsonl", spec=tmp_path / "my-ranker.yaml", base=tmp_path / "base", seed=5,
                     development=[], checkpoint=tmp_path / "out/seed-5")  # fmt: skip
        return tmp_path / "out/seed-5"

    return do


def test_train_ranker_records_counts_and_the_source_of_the_base(call, tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base/source.json").write_text(json.dumps({"weights": {"model.safetensors": "ab"}}))

    def train(*arguments):
        arguments[-1].mkdir()
        return TrainingLog(
            (), 7, pairs=6, pairs_cut=2, seconds_per_update=0.12345, peak_memory_mb=1234.56, resumed_at=4
        )

    made = json.loads((call(train) / "training.json").read_text())
    assert made["base"] == {"model": "m", "source": {"weights": {"model.safetensors": "ab"}}}
    assert {key: made[key] for key in list(made)[-7:]} == {
        "updates": 7, "resumed_at": 4, "pairs": 6, "pairs_cut": 2, "rows_masked": 0, "seconds_per_update": 0.1235,
        "peak_memory_mb": 1234.6,
    }  # fmt: skip


def test_train_ranker_saves_states_only_with_save_every(call, tmp_path):
    given = []

    def train(*arguments):
        given.append(arguments[1].state)
        arguments[-1].mkdir()
        return TrainingLog((), 1)

    call(train)
    assert given == [None]
    (tmp_path / "base").mkdir()
    (tmp_path / "my-ranker.yaml").write_text(json.dumps(SPEC | {"optimiser": {**SPEC["optimiser"], "save_every": 5}}))
    call(train)
    assert given[1].parent == tmp_path / "out"
    assert given[1].name.startswith(".seed-5.state-")


def test_train_ranker_writes_settings_and_loss_next_to_the_model(call, tmp_path):
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
    spec, job, _ = given
    assert spec.loss == "multiple-negatives"
    assert job == Training(tmp_path / "base", GROUPS, 5)


def test_train_ranker_leaves_no_files_if_training_fails(call, tmp_path):
    def train(*arguments):
        arguments[-1].mkdir()
        (arguments[-1] / "model.safetensors").touch()
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        call(train)
    assert list((tmp_path / "out").iterdir()) == []


def test_train_ranker_refuses_an_empty_training_set(call, tmp_path):
    with pytest.raises(BudgetError, match=r"g\.jsonl: the training set is empty; expected at least one group"):
        call(None, [])
    assert not (tmp_path / "out").exists()


def test_train_ranker_refuses_records_that_are_not_groups(call):
    with pytest.raises(DataError, match=r"g\.jsonl:1: not a Group \(unknown key 'id'"):
        call(None, [Candidate("a", "t", 1.0)])
