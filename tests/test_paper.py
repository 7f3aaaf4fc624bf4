"""The full study's collections are the published ones, by their names and by their sizes."""

import importlib.util
import json
from pathlib import Path

import pytest

from synthrank.errors import ConfigError
from synthrank.specs.base import read_yaml
from synthrank.specs.corpora import TRAIN, IrdsCorpus
from synthrank.study import Study

# Thakur et al. 2021, table 1, without MS MARCO, CQADupStack and the four that cannot be downloaded
PUBLIC = {
    "beir/trec-covid", "beir/nfcorpus", "beir/nq", "beir/hotpotqa", "beir/fiqa", "beir/arguana",
    "beir/webis-touche2020/v2", "beir/quora", "beir/dbpedia-entity", "beir/scidocs", "beir/fever", "beir/climate-fever",
    "beir/scifact",
}  # fmt: skip
# Sun et al. 2023, table 1: Covid, NFCorpus, Touché, DBPedia, SciFact, Signal, News, Robust04
RANKGPT = {
    "beir/trec-covid", "beir/nfcorpus", "beir/webis-touche2020/v2", "beir/dbpedia-entity", "beir/scifact", "signal1m",
    "trec-news", "robust04",
}  # fmt: skip
# Documents of the catalogue with neither text nor title: build_passages leaves them out
EMPTY = {"beir/fiqa": 38, "beir/trec-covid": 1}


@pytest.fixture(scope="module")
def paper(config: Path) -> Study:
    return Study(config, read_yaml(config / "paper.yaml"))


@pytest.fixture(scope="module")
def catalogue():
    """Return what the catalogue of ir_datasets says that an id holds; to import it would take seconds."""
    (folder,) = importlib.util.find_spec("ir_datasets").submodule_search_locations
    entries = json.loads((Path(folder) / "etc/metadata.json").read_text(encoding="utf-8"))

    def count(name, kind):
        found = entries[name][kind]
        while "_ref" in found:
            found = entries[found["_ref"]][kind]
        return found["count"]

    return count


def names(study, suite):
    corpora = [study.entities["corpora"][spec.corpus] for spec in study.testsets_of(suite).values()]
    return [corpus.dataset if isinstance(corpus, IrdsCorpus) else corpus.folder for corpus in corpora]


def test_the_two_groups_of_beir_are_the_published_ones(paper):
    for suite, expected in (("beir-public", PUBLIC), ("beir-rankgpt", RANKGPT)):
        assert sorted(names(paper, suite)) == sorted(expected)
    assert paper.experiment.suites == ("trec-dl", "beir-public")
    assert names(paper, "trec-dl") == ["msmarco-passage"] * 2


def test_every_test_set_is_the_published_split(paper):
    dl = {name: paper.entities["corpora"]["msmarco-passage"].splits[spec.split]
          for name, spec in paper.testsets_of("trec-dl").items()}  # fmt: skip
    assert dl == {
        "trec-dl19": "msmarco-passage/trec-dl-2019/judged",
        "trec-dl20": "msmarco-passage/trec-dl-2020/judged",
    }
    for name, testset in paper.testsets_of("beir-public").items():
        corpus = paper.entities["corpora"][testset.corpus]
        assert corpus.splits[testset.split] in (f"{corpus.dataset}/test", corpus.dataset), name


def test_counts_are_those_of_the_catalogue(paper, catalogue):
    checked = 0
    for name, corpus in paper.entities["corpora"].items():
        if not isinstance(corpus, IrdsCorpus):
            continue
        stated = corpus.counts
        assert stated.passages == catalogue(corpus.dataset, "docs") - EMPTY.get(corpus.dataset, 0), name
        assert stated.splits.keys() == corpus.splits.keys(), name
        for split, entry in corpus.splits.items():
            if split == TRAIN:  # the first of a seeded order
                assert stated.splits[split].queries == corpus.train_queries <= catalogue(entry, "queries")
                continue
            assert stated.splits[split].queries == catalogue(entry, "queries"), entry
            assert stated.splits[split].judgments == catalogue(entry, "qrels"), entry
            checked += 1
    assert checked == 13 + 4


def test_a_querys_own_passage_counts_nowhere_but_where_queries_are_passages(paper):
    suites = ("trec-dl", "beir-public", "beir-rankgpt")
    testsets = {name: spec for suite in suites for name, spec in paper.testsets_of(suite).items()}
    dropping = {name for name, spec in testsets.items() if spec.drop_identical_ids}
    assert dropping == {"beir-arguana", "beir-quora"}
    titles = {name: paper.entities["corpora"][spec.corpus].title for name, spec in testsets.items()}
    assert titles == {name: "prepend" if name.startswith("beir-") else "ignore" for name in testsets}


def test_a_test_set_is_counted_once(config):
    settings = read_yaml(config / "paper.yaml")
    settings["suites"] = ["trec-dl", "beir-public", "beir-rankgpt"]
    with pytest.raises(ConfigError, match=r"^experiment: suites: test set 'beir-trec-covid' is in 'beir-public' and in "
                                          r"'beir-rankgpt'; name one of the two$"):  # fmt: skip
        Study(config, settings)
