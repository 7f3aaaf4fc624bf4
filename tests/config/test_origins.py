"""Corpora with the same data are one distribution, and training queries must not be test queries of another corpus."""

import shutil
from pathlib import Path

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.origins import origins
from synthrank.config.study import Study
from synthrank.errors import ConfigError

TOY = Path(__file__).parents[1] / "toy/config"
PROJECT = Path(__file__).parents[2] / "config"
ARCHIVE = "{{package: p, version: '1', sha256: {}, docs: ['*'], faq: ['*']}}"


@pytest.fixture
def folder(tmp_path):
    config = Path(shutil.copytree(TOY, tmp_path / "config"))
    for kind in ("prompts", "paradigms"):
        shutil.copytree(PROJECT / kind, config / kind, dirs_exist_ok=True)
    return config


def study(folder, **change):
    return Study(folder, read_yaml(folder / "config.yaml") | change)


def faq(*archives, seed=13):
    listed = ", ".join(ARCHIVE.format(letter * 64) for letter in archives)
    return f"source: faq\narchives: [{listed}]\nsplits: {{train: 0.5, test: 0.5}}\nseed: {seed}\n"


def test_origins_merge_corpora_of_one_folder_data_set_or_archive(folder):
    for name, text in {
        "allotments": "source: beir\nfolder: ./gardens/\nsplits: {test: qrels/test.tsv}\n",
        "one": faq("a", "b"), "other": faq("c"), "two": faq("b", "c"), "alone": faq("d"),
        "vaswani": "source: ir_datasets\ndataset: vaswani\nsplits: {test: vaswani}\n",
        "vaswani-again": "source: ir_datasets\ndataset: vaswani\nsplits: {dev: vaswani}\n",
    }.items():  # fmt: skip
        (folder / f"corpora/{name}.yaml").write_text(text)
    assert origins(study(folder)) == {
        "allotments": "allotments", "gardens": "allotments", "gardens-mixed": "allotments", "kitchens": "kitchens",
        "one": "one", "other": "one", "two": "one", "alone": "alone", "vaswani": "vaswani", "vaswani-again": "vaswani",
    }  # fmt: skip
    pairs = RuleInputs(study(folder)).inputs.tables.origins(None)
    assert pairs == [
        "gardens=allotments", "gardens-mixed=allotments", "other=one", "two=one", "vaswani-again=vaswani"
    ]  # fmt: skip


@pytest.mark.parametrize("corpus", ["gardens", "allotments"])
def test_a_test_set_with_training_queries_of_another_corpus_is_refused(folder, corpus):
    (folder / "corpora/allotments.yaml").write_text(
        "source: beir\nfolder: gardens/\nsplits: {train: qrels/train.tsv, dev: qrels/train.tsv, test: qrels/test.tsv}\n"
    )
    split = "train" if corpus == "gardens" else "dev"
    (folder / "testsets/kitchens.yaml").write_text(f"corpus: {corpus}\nsplit: {split}\n")
    with pytest.raises(ConfigError) as error:
        study(folder)
    assert str(error.value) == (
        f"{folder}/testsets/kitchens.yaml: split: {split!r} shares queries with split 'train' of corpus 'gardens', "
        "on which recipe 'human' trains; test on another split"
    )
    (folder / "testsets/kitchens.yaml").write_text("corpus: allotments\nsplit: test\n")
    study(folder)


def test_corpora_of_the_same_archives_and_seed_share_splits(folder):
    for name, text in {"one": faq("a"), "same": faq("a") + "distractors: 5\n", "other": faq("a", seed=14)}.items():
        (folder / f"corpora/{name}.yaml").write_text(text)
    recipe = folder / "recipes/human.yaml"
    recipe.write_text(recipe.read_text().replace("corpus: gardens", "corpus: one"))
    testset = folder / "testsets/kitchens.yaml"
    testset.write_text("corpus: same\nsplit: test\n")
    study(folder, recipes=["human"])
    testset.write_text("corpus: same\nsplit: train\n")
    with pytest.raises(
        ConfigError, match="shares queries with split 'train' of corpus 'one', on which recipe 'human' trains"
    ):
        study(folder, recipes=["human"])


def beir(data, name, passages="{}", queries="{}", **qrels):
    (data / name / "qrels").mkdir(parents=True)
    (data / name / "corpus.jsonl").write_text(passages)
    (data / name / "queries.jsonl").write_text(queries)
    for split, ids in qrels.items():
        lines = ["query-id\tcorpus-id\tscore", *(f"{query}\tp\t1" for query in ids.split())]
        (data / name / f"qrels/{split}.tsv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("passages", "queries", "origin"),
    [("P", "Q", "allotments"), ("P", "other", "allotments"), ("other", "Q", "allotments"), ("o", "o", "gardens")],
)
def test_copies_of_the_same_data_are_one_distribution(folder, tmp_path, monkeypatch, passages, queries, origin):
    monkeypatch.chdir(tmp_path)
    beir(tmp_path / "data", "gardens", "P", "Q", train="q1", test="q2")
    beir(tmp_path / "data", "copy", passages, queries, test="q2")
    (folder / "corpora/allotments.yaml").write_text("source: beir\nfolder: copy\nsplits: {test: qrels/test.tsv}\n")
    assert origins(study(folder))["gardens"] == origin


@pytest.mark.parametrize(("ids", "shares"), [("q1 q2", True), ("q2 q7 q8", True), ("q8 q9", False)])
def test_training_queries_in_a_copied_folder_are_refused_as_test_queries(folder, tmp_path, monkeypatch, ids, shares):
    monkeypatch.chdir(tmp_path)
    beir(tmp_path / "data", "gardens", train="q1 q2", test="q3")
    beir(tmp_path / "data", "copy", dev=ids)
    (folder / "corpora/allotments.yaml").write_text("source: beir\nfolder: copy\nsplits: {dev: qrels/dev.tsv}\n")
    (folder / "testsets/kitchens.yaml").write_text("corpus: allotments\nsplit: dev\n")
    if not shares:
        study(folder)
        return
    with pytest.raises(ConfigError, match="split: 'dev' shares queries with split 'train' of corpus 'gardens'"):
        study(folder)
