"""Checks that a split is used for only one of training, choosing settings and testing."""

import re
import shutil

import pytest
import yaml

from synthrank.config.base import read_yaml
from synthrank.config.consistency.splits import trained_pairs
from synthrank.config.study import Study
from synthrank.errors import ConfigError

GRID = {"learning_rates": [1e-5, 2e-5], "updates": [5, 10], "retriever": "bm25", "depth": 10}


@pytest.fixture
def copy(tmp_path, config):
    return shutil.copytree(config, tmp_path / "config")


def change(path, **changed):
    path.write_text(yaml.safe_dump({**read_yaml(path), **changed}))


def opened(folder, experiment="experiments/nfcorpus.yaml", **changed):
    return Study(folder, {**read_yaml(folder / experiment), **changed})


def problem(folder, **changed):
    with pytest.raises(ConfigError) as error:
        opened(folder, **changed)
    assert "\n" not in str(error.value)
    return re.sub(r"(?<=\.yaml):\d+", "", str(error.value)).replace(str(folder), "config")


def test_testing_on_a_development_split_is_refused(copy):
    change(copy / "testsets/nfcorpus.yaml", split="dev")
    assert problem(copy) == (
        "config/testsets/nfcorpus.yaml: split: 'dev' shares queries with the development split of corpus "
        "'nfcorpus'; test on another split"
    )
    change(copy / "suites/medicine.yaml", testsets=["cacm"])
    assert opened(copy), "test sets of other experiments are not checked"


def test_testing_on_a_development_split_of_another_corpus_is_refused(copy):
    change(copy / "corpora/nfcorpus-shared.yaml", development=None)
    change(copy / "testsets/nfcorpus-shared.yaml", split="dev")
    change(copy / "suites/medicine.yaml", testsets=["nfcorpus-shared"])
    assert (
        "testsets/nfcorpus-shared.yaml: split: 'dev' shares queries with the development split of corpus 'nfcorpus'"
        in (problem(copy))
    )
    change(copy / "corpora/nfcorpus-mixed.yaml", splits={"test": "dev"})
    change(copy / "suites/medicine.yaml", testsets=["nfcorpus-mixed"])
    assert (
        "testsets/nfcorpus-mixed.yaml: split: 'test' shares queries with the development split of corpus 'nfcorpus'"
        in (problem(copy))
    )


def test_disjoint_parts_of_a_file_have_different_queries(copy):
    part = {"file": "qrels/test.tsv", "start": 0, "end": 0.5}
    parts = {"train": "qrels/train.tsv", "dev": part, "test": {**part, "start": 0.5, "end": 1}}
    for name in ("nfcorpus", "nfcorpus-shared"):
        change(copy / f"corpora/{name}.yaml", splits=parts)
    assert opened(copy)
    for name in ("nfcorpus", "nfcorpus-shared"):
        change(copy / f"corpora/{name}.yaml", splits={**parts, "test": {**part, "start": 0.4, "end": 1}})
    assert "share queries of qrels/test.tsv" in problem(copy)
    change(copy / "corpora/nfcorpus-shared.yaml", splits=parts)
    later = {"train": "qrels/train.tsv", "test": {**part, "start": 0.4, "end": 1}}
    change(copy / "corpora/nfcorpus.yaml", splits=later,
           development=None)  # fmt: skip
    assert (
        "testsets/nfcorpus.yaml: split: 'test' shares queries with the development split of corpus 'nfcorpus-shared'"
        in (problem(copy))
    )


@pytest.mark.parametrize(
    ("corpus", "split", "wrong"),
    [
        ("nfcorpus", "train", "'train' is trained on; state a held-out split"),
        ("nfcorpus", "valid", "no split 'valid' (known: "),
        ("nfcorpus-mixed", "test", "a mixed corpus is only for testing; remove the key"),
    ],
)
def test_a_development_split_that_is_not_held_out_is_refused(copy, corpus, split, wrong):
    change(copy / f"corpora/{corpus}.yaml", development=split)
    assert problem(copy).startswith(f"config/corpora/{corpus}.yaml: development: {wrong}")


def test_training_on_a_development_split_is_refused(copy):
    change(copy / "corpora/trec-dl20-pool.yaml", development="dev")
    (copy / "testsets/dl20-dev.yaml").unlink()
    (copy / "suites/dl20-dev.yaml").unlink()
    change(copy / "augmentations/crop-500.yaml", filters={"testsets": ["dl19-pool"]})
    change(copy / "recipes/dl20-teacher.yaml", split="dev")
    assert problem(copy) == (
        "config/recipes/dl20-teacher.yaml: split: 'dev' is the development split of corpus 'trec-dl20-pool'; train on "
        "another split"
    )


def test_a_selection_without_development_split_is_refused(copy):
    change(copy / "rankers/bi-encoder.yaml", selection=GRID | {"updates": [3, 6]})
    assert opened(copy)
    change(copy / "corpora/nfcorpus.yaml", development=None)
    wrong = problem(copy)
    assert wrong.startswith(
        "config/rankers/bi-encoder.yaml: selection: corpus 'nfcorpus' of recipe 'nfcorpus-human' has no development "
        "split; state `development` in its file"
    )


def test_a_fusion_weight_without_development_split_is_refused(copy):
    mix = {"corpus": "nfcorpus", "weights": [0.5]}
    change(copy / "rankers/cross-encoder.yaml", rerank={"retriever": "bm25", "depth": 20, "mix": mix})
    assert opened(copy)
    change(copy / "corpora/nfcorpus.yaml", development=None)
    assert problem(copy) == (
        "config/rankers/cross-encoder.yaml: rerank.mix.corpus: 'nfcorpus' has no development split; state "
        "`development` in its file, or use another corpus"
    )


def test_trained_pairs_includes_bases_of_rankers(copy):
    change(copy / "rankers/cross-encoder-warm-up.yaml", selection=GRID)
    study = {"recipes": ["nfcorpus-human"], "rankers": ["cross-encoder"]}
    assert "rankers/cross-encoder-warm-up.yaml: selection: corpus 'python-faq' of recipe " in (problem(copy, **study))
    corpus = copy / "corpora/python-faq.yaml"
    counts = {"passages": 120, "splits": {name: {"queries": 36, "judgments": 36} for name in ("train", "dev", "test")}}
    change(corpus, splits={"train": 0.4, "dev": 0.3, "test": 0.3}, development="dev", counts=counts)
    assert trained_pairs(opened(copy, **study)) == [
        ("nfcorpus-human", "cross-encoder"),
        ("warm-up", "cross-encoder-warm-up"),
    ]


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"epochs": [1]}, "state either epochs or updates"),
        ({"updates": []}, "state either epochs or updates"),
        ({"updates": [10, 5]}, "updates: state each value once, in ascending order"),
        ({"learning_rates": [2e-5, 2e-5]}, "learning_rates: state each value once, in ascending order"),
        ({"updates": [], "epochs": [1, 5]}, "epochs: point 5 is larger than optimiser.epochs 4; state smaller points"),
        ({"max": 9}, "updates: point 10 is larger than optimiser.max_updates 9; state smaller points"),
        (
            {"updates": [], "epochs": [1], "max": 9},
            "epochs: optimiser.max_updates sets the length of training; state points in updates",
        ),
    ],
)
def test_an_invalid_grid_is_refused(copy, changed, wrong):
    ranker = copy / "rankers/bi-encoder.yaml"
    length = {"max_updates": changed["max"]} if "max" in changed else {"epochs": 4}
    grid = {key: value for key, value in (GRID | changed).items() if key != "max"}
    change(ranker, selection=grid, optimiser={"learning_rate": 2e-5, "batch_size": 16, **length})
    assert wrong in problem(copy)
