"""Columns of training data, and arguments of the trainers."""

import logging
import math

import pytest
import torch

from synthrank.config.base import validate
from synthrank.config.rankers import RankerSpec
from synthrank.data.records import Candidate, Group
from synthrank.errors import ConfigError, ModelError
from synthrank.rankers.base import Training
from synthrank.rankers.datasets import contrastive_dataset, listwise_dataset, pairs_of
from synthrank.rankers.training import loss_curve, run_training, trainer_arguments
from synthrank.runtime import torch_setup as devices
from synthrank.runtime.torch_setup import dtype


def spec(**changed):
    return validate(RankerSpec, {
        "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "multiple-negatives",
        "optimiser": {"learning_rate": 1e-5, "epochs": 2, "batch_size": 4, **changed.pop("optimiser", {})},
        "rerank": {"retriever": "bm25"}, **changed,
    }, "x")  # fmt: skip


def group(name, *labels):
    return Group(name, f"{name}?", tuple(Candidate(f"{name}-{place}", f"{name} text {place}", label)
                                         for place, label in enumerate(labels)))  # fmt: skip


def test_contrastive_dataset_has_one_column_per_negative():
    data, _ = contrastive_dataset([group("a", 1.0, 0.0, 0.0), group("b", 1.0, 0.0, 0.0)], spec())
    assert data.column_names == ["query", "positive", "negative_1", "negative_2", "label"]
    texts = {"positive": "a text 0", "negative_1": "a text 1", "negative_2": "a text 2"}
    assert data[0] == {"query": "a?", **texts, "label": 0}
    assert data["label"] == [0, 1], "row numbers"
    assert len(data) == 2


def test_contrastive_dataset_has_one_row_per_positive():
    data, _ = contrastive_dataset([group("a", 1.0, 1.0, 0.0)], spec())
    assert [row["positive"] for row in data] == ["a text 0", "a text 1"]
    assert {row["negative_1"] for row in data} == {"a text 2"}


def test_contrastive_dataset_takes_the_stated_number_of_negatives():
    data, _ = contrastive_dataset([group("a", 1.0, 0.0, 0.0), group("b", 1.0, 0.0)], spec(negatives=1))
    assert data.column_names == ["query", "positive", "negative_1", "label"]
    assert [row["negative_1"] for row in data] == ["a text 1", "b text 1"]
    assert contrastive_dataset([group("a", 1.0)], spec())[0].column_names == ["query", "positive", "label"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([group("a", 0.7, 0.1)], "query a: graded labels; multiple-negatives needs labels 0 and 1"),
        ([group("a", 1.0, 0.0), group("b", 0.0)], "query b: no positive; multiple-negatives needs at least one"),
        (
            [group("a", 1.0, 0.0, 0.0), group("b", 1.0, 0.0)],
            "groups have 1 to 2 negatives; multiple-negatives needs the same number per group",
        ),
    ],
)
def test_contrastive_dataset_refuses_wrong_groups(groups, message):
    with pytest.raises(ModelError) as error:
        contrastive_dataset(groups, spec())
    assert str(error.value) == message


def test_listwise_dataset_keeps_graded_labels():
    data = listwise_dataset([group("a", 0.9, 0.4, -0.1), group("b", 1.0, 0.0)], spec())
    assert data[0] == {"query": "a?", "passages": ["a text 0", "a text 1", "a text 2"], "labels": [0.9, 0.4, -0.1]}
    assert data[1]["labels"] == [1.0, 0.0]


def test_listwise_dataset_refuses_a_group_without_candidates():
    with pytest.raises(ModelError, match="query b: no candidates; multiple-negatives needs at least one"):
        listwise_dataset([group("a", 1.0), group("b")], spec())


def test_pairs_of_returns_the_pairs_of_both_shapes():
    groups = [group("a", 1.0, 0.0), group("b", 1.0, 0.0)]
    expected = [("a?", "a text 0"), ("a?", "a text 1"), ("b?", "b text 0"), ("b?", "b text 1")]
    for data in (listwise_dataset(groups, spec()), contrastive_dataset(groups, spec())[0]):
        assert pairs_of(data) == expected


def test_listwise_dataset_limits_negatives():
    data = listwise_dataset([group("a", 1.0, 0.0, 0.0, 0.0)], spec(negatives=2))
    assert data[0]["labels"] == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("examples", "optimiser", "updates"),
    [(10, {}, 6), (8, {}, 4), (1, {"epochs": 0.5}, 1), (10, {"accumulation": 2}, 4), (17, {"epochs": 1.5}, 8)],
)
def test_trainer_arguments_warm_up_over_a_share_of_the_updates(tmp_path, examples, optimiser, updates):
    ranker = spec(optimiser={"warmup": 0.5, **optimiser})
    arguments = trainer_arguments(ranker, examples, 7, tmp_path)
    assert arguments["warmup_steps"] == math.ceil(updates / 2)
    assert (arguments["seed"], arguments["data_seed"], arguments["learning_rate"]) == (7, 7, 1e-5)
    assert arguments["logging_steps"] == 1
    assert trainer_arguments(ranker, 4000, 7, tmp_path)["logging_steps"] > 1


@pytest.mark.parametrize("examples", [5, 48, 4000])
def test_trainer_arguments_accept_max_updates(tmp_path, examples):
    ranker = spec(optimiser={"epochs": None, "max_updates": 24, "warmup": 0.5})
    arguments = trainer_arguments(ranker, examples, 7, tmp_path)
    assert (arguments["max_steps"], arguments["warmup_steps"]) == (24, 12)
    assert "num_train_epochs" not in arguments
    assert "max_steps" not in trainer_arguments(spec(), examples, 7, tmp_path)


@pytest.mark.parametrize("optimiser", [{"epochs": None}, {"max_updates": 24}])
def test_ranker_file_refuses_two_durations(optimiser):
    with pytest.raises(ConfigError, match=r"optimiser: .*state either epochs or max_updates"):
        spec(optimiser=optimiser)


def test_trainer_arguments_save_states_only_if_resumable(tmp_path):
    assert trainer_arguments(spec(), 8, 1, tmp_path)["save_strategy"] == "no"
    arguments = trainer_arguments(spec(optimiser={"save_every": 3}), 8, 1, tmp_path, resumable=True)
    assert (arguments["save_strategy"], arguments["save_steps"], arguments["save_total_limit"]) == ("steps", 3, 2)
    assert arguments["output_dir"] == str(tmp_path)


@pytest.mark.parametrize(("gpus", "each"), [(1, 8), (2, 4), (8, 1)])
def test_trainer_arguments_divide_a_batch_among_gpus(tmp_path, gpus, each):
    ranker = spec(gpus=gpus, optimiser={"batch_size": 8, "warmup": 0.5})
    arguments = trainer_arguments(ranker, 40, 1, tmp_path)
    assert arguments["per_device_train_batch_size"] == each
    assert arguments["warmup_steps"] == 5, "the number of updates does not depend on the GPUs"
    assert ("batch_sampler" in arguments) == (gpus > 1), "on one GPU, the library's batches"


@pytest.fixture
def torch_detects(monkeypatch):
    """Detect bfloat16 with torch, and clear the cached result afterwards."""
    monkeypatch.setattr(devices, "_bfloat16_of_cpu", lambda: None)
    devices.has_bfloat16.cache_clear()
    yield
    devices.has_bfloat16.cache_clear()


@pytest.mark.parametrize("found", [True, False])
def test_trainer_arguments_warn_once_of_a_gpu_without_bfloat16(tmp_path, monkeypatch, caplog, torch_detects, found):
    def supported(including_emulation=True):
        return found or including_emulation

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla V100")
    with caplog.at_level(logging.WARNING):
        assert [trainer_arguments(spec(bf16=True), 8, 1, tmp_path)["bf16"] for _ in range(2)] == [found] * 2
        assert not trainer_arguments(spec(), 8, 1, tmp_path)["bf16"]
    warned = [] if found else ["Tesla V100 has no bfloat16: using float32"]
    assert [record.getMessage() for record in caplog.records] == warned


@pytest.mark.parametrize("found", [True, False])
def test_trainer_arguments_use_float32_on_a_cpu_without_bfloat16(tmp_path, monkeypatch, caplog, torch_detects, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: found)
    with caplog.at_level(logging.WARNING):
        assert trainer_arguments(spec(bf16=True), 8, 1, tmp_path)["bf16"] == found
    assert dtype("bfloat16") == (torch.bfloat16 if found else torch.float32)
    assert dtype("float16") == torch.float16
    warned = [] if found else ["this CPU has no bfloat16: using float32"]
    assert [record.getMessage() for record in caplog.records] == warned


class Arguments:
    """The library's arguments on a machine with four visible GPUs."""

    def __init__(self, **settings):
        self.settings, self._n_gpu = settings, 4

    @property
    def n_gpu(self):
        return self._n_gpu


def test_run_training_uses_one_of_several_visible_gpus(tmp_path):
    class Trainer:
        def __init__(self, args, **_):
            assert args.n_gpu == 1, "the library would send a batch to each GPU"
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_training(spec(), Training(tmp_path, [], 1), Trainer, Arguments, {"train_dataset": range(8)}, None)


def test_loss_curve_reads_the_history():
    assert loss_curve([{"step": 1, "loss": 0.5}, {"step": 2, "loss": "0.25"}, {"train_runtime": 3.0}]) == (
        (1, 0.5), (2, 0.25),
    )  # fmt: skip


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_loss_curve_refuses_a_nan(loss):
    with pytest.raises(ModelError, match=r"update 3: the loss is (nan|inf); lower optimiser\.learning_rate"):
        loss_curve([{"step": 3, "loss": loss}])
