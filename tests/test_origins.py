"""Corpora over one collection are one distribution, and a question that is trained on is no test under any name."""

import shutil
from pathlib import Path

import pytest

from synthrank.errors import ConfigError
from synthrank.needs import Needs
from synthrank.origins import origins
from synthrank.specs.base import read_yaml
from synthrank.study import Study

TOY = Path(__file__).parent / "toy/config"
PROJECT = Path(__file__).parents[1] / "config"
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


def test_corpora_of_one_folder_data_set_or_archive_are_the_same(folder):
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
    told = Needs(study(folder)).origins
    assert told == [
        "gardens=allotments", "gardens-mixed=allotments", "other=one", "two=one", "vaswani-again=vaswani"
    ]  # fmt: skip


@pytest.mark.parametrize("corpus", ["gardens", "allotments"])
def test_what_trains_is_not_tested_on_under_another_name(folder, corpus):
    (folder / "corpora/allotments.yaml").write_text(
        "source: beir\nfolder: gardens/\nsplits: {train: qrels/train.tsv, dev: qrels/train.tsv, test: qrels/test.tsv}\n"
    )
    split = "train" if corpus == "gardens" else "dev"
    (folder / "testsets/kitchens.yaml").write_text(f"corpus: {corpus}\nsplit: {split}\n")
    with pytest.raises(ConfigError) as error:
        study(folder)
    assert str(error.value) == (
        f"{folder}/testsets/kitchens.yaml: split: got {split!r}, whose queries recipe 'human' trains on, as split "
        "'train' of corpus 'gardens'; test on others"
    )
    (folder / "testsets/kitchens.yaml").write_text("corpus: allotments\nsplit: test\n")
    study(folder)


def test_questions_of_the_same_archives_are_parted_by_the_same_seed(folder):
    for name, text in {"one": faq("a"), "same": faq("a") + "distractors: 5\n", "other": faq("a", seed=14)}.items():
        (folder / f"corpora/{name}.yaml").write_text(text)
    recipe = folder / "recipes/human.yaml"
    recipe.write_text(recipe.read_text().replace("corpus: gardens", "corpus: one"))
    testset = folder / "testsets/kitchens.yaml"
    testset.write_text("corpus: same\nsplit: test\n")
    study(folder, recipes=["human"])
    testset.write_text("corpus: same\nsplit: train\n")
    with pytest.raises(ConfigError, match="whose queries recipe 'human' trains on, as split 'train' of corpus 'one'"):
        study(folder, recipes=["human"])
