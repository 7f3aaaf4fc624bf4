"""Data in columns, and the arguments that both trainers get."""

import logging
import math

import pytest
import torch

from synthrank import devices
from synthrank.devices import dtype
from synthrank.errors import ConfigError, ModelError
from synthrank.rankers.base import Training
from synthrank.rankers.shapes import contrastive, listwise, pairs_of
from synthrank.rankers.training import loss_curve, run_training, trainer_arguments
from synthrank.records import Candidate, Group
from synthrank.specs.base import validate
from synthrank.specs.rankers import RankerSpec


def spec(**changed):
    return validate(RankerSpec, {
        "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "multiple-negatives",
        "optimiser": {"learning_rate": 1e-5, "epochs": 2, "batch_size": 4, **changed.pop("optimiser", {})},
        "rerank": {"retriever": "bm25"}, **changed,
    }, "x")  # fmt: skip


def group(name, *labels):
    return Group(name, f"{name}?", tuple(Candidate(f"{name}-{place}", f"{name} text {place}", label)
                                         for place, label in enumerate(labels)))  # fmt: skip


def test_contrastive_has_a_column_a_negative():
    data, _ = contrastive([group("a", 1.0, 0.0, 0.0), group("b", 1.0, 0.0, 0.0)], spec())
    assert data.column_names == ["query", "positive", "negative_1", "negative_2", "label"]
    texts = {"positive": "a text 0", "negative_1": "a text 1", "negative_2": "a text 2"}
    assert data[0] == {"query": "a?", **texts, "label": 0}
    assert data["label"] == [0, 1], "the numbers of the rows"
    assert len(data) == 2


def test_contrastive_has_a_row_a_positive():
    data, _ = contrastive([group("a", 1.0, 1.0, 0.0)], spec())
    assert [row["positive"] for row in data] == ["a text 0", "a text 1"]
    assert {row["negative_1"] for row in data} == {"a text 2"}


def test_contrastive_takes_as_many_negatives_as_the_ranker_says():
    data, _ = contrastive([group("a", 1.0, 0.0, 0.0), group("b", 1.0, 0.0)], spec(negatives=1))
    assert data.column_names == ["query", "positive", "negative_1", "label"]
    assert [row["negative_1"] for row in data] == ["a text 1", "b text 1"]
    assert contrastive([group("a", 1.0)], spec())[0].column_names == ["query", "positive", "label"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([group("a", 0.7, 0.1)], "query a: graded labels; multiple-negatives needs positives and negatives"),
        ([group("a", 1.0, 0.0), group("b", 0.0)], "query b: no positive; multiple-negatives needs one"),
        (
            [group("a", 1.0, 0.0, 0.0), group("b", 1.0, 0.0)],
            "groups have 1 to 2 negatives; multiple-negatives needs equal numbers",
        ),
    ],
)
def test_contrastive_refuses_other_groups(groups, message):
    with pytest.raises(ModelError) as error:
        contrastive(groups, spec())
    assert str(error.value) == message


def test_listwise_keeps_graded_labels():
    data = listwise([group("a", 0.9, 0.4, -0.1), group("b", 1.0, 0.0)], spec())
    assert data[0] == {"query": "a?", "passages": ["a text 0", "a text 1", "a text 2"], "labels": [0.9, 0.4, -0.1]}
    assert data[1]["labels"] == [1.0, 0.0]


def test_a_list_needs_a_candidate():
    with pytest.raises(ModelError, match="query b: no candidate; multiple-negatives needs a list"):
        listwise([group("a", 1.0), group("b")], spec())


def test_the_pairs_of_every_shape_are_known():
    groups = [group("a", 1.0, 0.0), group("b", 1.0, 0.0)]
    expected = [("a?", "a text 0"), ("a?", "a text 1"), ("b?", "b text 0"), ("b?", "b text 1")]
    for data in (listwise(groups, spec()), contrastive(groups, spec())[0]):
        assert pairs_of(data) == expected


def test_negatives_of_a_list_are_limited():
    data = listwise([group("a", 1.0, 0.0, 0.0, 0.0)], spec(negatives=2))
    assert data[0]["labels"] == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("examples", "optimiser", "updates"),
    [(10, {}, 6), (8, {}, 4), (1, {"epochs": 0.5}, 1), (10, {"accumulation": 2}, 4), (17, {"epochs": 1.5}, 8)],
)
def test_the_rate_rises_over_a_share_of_the_updates(tmp_path, examples, optimiser, updates):
    ranker = spec(optimiser={"warmup": 0.5, **optimiser})
    arguments = trainer_arguments(ranker, examples, 7, tmp_path)
    assert arguments["warmup_steps"] == math.ceil(updates / 2)
    assert (arguments["seed"], arguments["data_seed"], arguments["learning_rate"]) == (7, 7, 1e-5)
    assert arguments["logging_steps"] == 1
    assert trainer_arguments(ranker, 4000, 7, tmp_path)["logging_steps"] > 1


@pytest.mark.parametrize("examples", [5, 48, 4000])
def test_a_ranker_may_make_equal_updates_of_every_training_set(tmp_path, examples):
    ranker = spec(optimiser={"epochs": None, "max_updates": 24, "warmup": 0.5})
    arguments = trainer_arguments(ranker, examples, 7, tmp_path)
    assert (arguments["max_steps"], arguments["warmup_steps"]) == (24, 12)
    assert "num_train_epochs" not in arguments
    assert "max_steps" not in trainer_arguments(spec(), examples, 7, tmp_path)


@pytest.mark.parametrize("optimiser", [{"epochs": None}, {"max_updates": 24}])
def test_a_training_has_one_duration(optimiser):
    with pytest.raises(ConfigError, match=r"optimiser: .*state either epochs or max_updates"):
        spec(optimiser=optimiser)


def test_states_are_kept_where_they_are_asked_for(tmp_path):
    assert trainer_arguments(spec(), 8, 1, tmp_path)["save_strategy"] == "no"
    arguments = trainer_arguments(spec(optimiser={"save_every": 3}), 8, 1, tmp_path, resumable=True)
    assert (arguments["save_strategy"], arguments["save_steps"], arguments["save_total_limit"]) == ("steps", 3, 2)
    assert arguments["output_dir"] == str(tmp_path)


@pytest.mark.parametrize(("gpus", "each"), [(1, 8), (2, 4), (8, 1)])
def test_the_gpus_share_a_batch(tmp_path, gpus, each):
    ranker = spec(gpus=gpus, optimiser={"batch_size": 8, "warmup": 0.5})
    arguments = trainer_arguments(ranker, 40, 1, tmp_path)
    assert arguments["per_device_train_batch_size"] == each
    assert arguments["warmup_steps"] == 5, "as many updates, however many GPUs there are"
    assert ("batch_sampler" in arguments) == (gpus > 1), "one GPU alone has the library's own batches"


@pytest.fixture
def torch_tells(monkeypatch):
    """Leave the question for bfloat16 to torch, and forget its answer afterwards."""
    monkeypatch.setattr(devices, "_bfloat16_of_cpu", lambda: None)
    devices.has_bfloat16.cache_clear()
    yield
    devices.has_bfloat16.cache_clear()


@pytest.mark.parametrize("found", [True, False])
def test_a_gpu_without_bfloat16_trains_in_float32_and_says_so_once(tmp_path, monkeypatch, caplog, torch_tells, found):
    def supported(including_emulation=True):
        return found or including_emulation

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla V100")
    with caplog.at_level(logging.WARNING):
        assert [trainer_arguments(spec(bf16=True), 8, 1, tmp_path)["bf16"] for _ in range(2)] == [found] * 2
        assert not trainer_arguments(spec(), 8, 1, tmp_path)["bf16"]
    told = [] if found else ["Tesla V100 has no bfloat16: float32 takes its place"]
    assert [record.getMessage() for record in caplog.records] == told


@pytest.mark.parametrize("found", [True, False])
def test_a_cpu_without_bfloat16_trains_in_float32(tmp_path, monkeypatch, caplog, torch_tells, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: found)
    with caplog.at_level(logging.WARNING):
        assert trainer_arguments(spec(bf16=True), 8, 1, tmp_path)["bf16"] == found
    assert dtype("bfloat16") == (torch.bfloat16 if found else torch.float32)
    assert dtype("float16") == torch.float16
    told = [] if found else ["this CPU has no bfloat16: float32 takes its place"]
    assert [record.getMessage() for record in caplog.records] == told


class Arguments:
    """Of the library, on a machine where it sees four GPUs."""

    def __init__(self, **settings):
        self.settings, self._n_gpu = settings, 4

    @property
    def n_gpu(self):
        return self._n_gpu


def test_one_gpu_is_used_where_several_are_seen(tmp_path):
    class Trainer:
        def __init__(self, args, **_):
            assert args.n_gpu == 1, "the library gives a whole batch to each"
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_training(spec(), Training(tmp_path, [], 1), Trainer, Arguments, {"train_dataset": range(8)}, None)


def test_the_loss_curve_is_read_from_the_history():
    assert loss_curve([{"step": 1, "loss": 0.5}, {"step": 2, "loss": "0.25"}, {"train_runtime": 3.0}]) == (
        (1, 0.5), (2, 0.25),
    )  # fmt: skip


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_an_error(loss):
    with pytest.raises(ModelError, match=r"update 3: the loss is (nan|inf); lower optimiser\.learning_rate"):
        loss_curve([{"step": 3, "loss": loss}])
