"""The full study uses the published collections: names and sizes agree."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.corpora import TRAIN, IrdsCorpus
from synthrank.config.pretraining import find_seen_testsets
from synthrank.config.study import Study
from synthrank.errors import ConfigError

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
# Documents of the catalogue without text and title: build_passages skips them
EMPTY = {"beir/fiqa": 38, "beir/trec-covid": 1}


@pytest.fixture(scope="module")
def paper(config: Path) -> Study:
    return Study(config, read_yaml(config / "paper.yaml"))


@pytest.fixture(scope="module")
def catalogue():
    """Return the catalogue entry of an ir_datasets id; importing ir_datasets takes seconds."""
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
    assert paper.experiment.suites == ("msmarco", "beir-public")
    assert names(paper, "msmarco") == ["msmarco-passage"] * 3


def test_every_test_set_is_the_published_split(paper):
    dl = {name: paper.entities["corpora"]["msmarco-passage"].splits[spec.split]
          for name, spec in paper.testsets_of("msmarco").items()}  # fmt: skip
    assert dl == {
        "msmarco-dev": "msmarco-passage/dev/small",
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


def test_a_querys_own_passage_counts_only_if_queries_are_passages(paper):
    suites = ("trec-dl", "beir-public", "beir-rankgpt")
    testsets = {name: spec for suite in suites for name, spec in paper.testsets_of(suite).items()}
    dropping = {name for name, spec in testsets.items() if spec.drop_identical_ids}
    assert dropping == {"beir-arguana", "beir-quora"}
    titles = {name: paper.entities["corpora"][spec.corpus].title for name, spec in testsets.items()}
    assert titles == {name: "prepend" if name.startswith("beir-") else "ignore" for name in testsets}


def test_a_test_set_of_two_suites_is_counted_once(config):
    settings = read_yaml(config / "paper.yaml")
    settings["suites"] = ["msmarco", "beir-public", "beir-rankgpt"]
    specs = RuleInputs(Study(config, settings))("make_tables.testsets")(None)
    assert len(specs) == len({*specs}) == 3 + 13 + 3
    metrics = RuleInputs(Study(config, settings))("make_tables.metrics")(None)
    assert len(metrics) == len({*metrics})


def test_no_test_set_is_a_development_split(paper, catalogue):
    corpus = paper.entities["corpora"]["msmarco-passage"]
    tested = {spec.split for spec in paper.testsets_of("msmarco").values()}
    assert corpus.development == "dev2"
    assert corpus.development not in tested | {TRAIN}
    assert corpus.splits["dev2"] == "msmarco-passage/dev/2"
    assert catalogue("msmarco-passage/dev/small", "queries") == 6980


def test_sizes_reach_from_a_thousand_to_a_hundred_thousand(paper):
    sizes = paper.experiment.sizes
    assert {paper.entities["recipes"][name].size for name in sizes.recipes} == {10_000}
    assert sorted([*sizes.queries, 10_000]) == [1_000, 10_000, 50_000, 100_000]
    assert paper.entities["corpora"]["msmarco-passage"].train_queries > 100_000


def test_test_sets_seen_in_pretraining_are_marked(paper):
    found = find_seen_testsets(paper)
    assert found == {"e5-base-v2": ("trec-dl19", "trec-dl20", "msmarco-dev", "beir-nq")}
    assert paper.experiment.rankers.index("e5-base-unsupervised") < paper.experiment.rankers.index("e5-base-v2")
    assert set(RuleInputs(paper).inputs.tables.seen_testsets(None)) == {
        f"e5-base-v2={name}" for name in found["e5-base-v2"]
    }


def test_claim_only_on_seen_test_sets_is_refused(config, tmp_path):
    copy = Path(shutil.copytree(config, tmp_path / "config"))
    (copy / "suites/nq-alone.yaml").write_text("testsets: [beir-nq]\n")
    needed = "a test set of a corpus other than 'msmarco-passage' that no ranker's model was trained on"
    with pytest.raises(ConfigError, match=rf"ood-gain\.distribution: 'ood' needs {needed}; "):
        Study(copy, read_yaml(copy / "paper.yaml") | {"suites": ["msmarco", "nq-alone"]})


def test_e5_recipe_is_the_published_one(paper):
    """Wang et al. 2022: seven mined negatives, batches of 256 with the cached loss."""
    for name in ("e5-base-unsupervised", "e5-base-v2"):
        ranker = paper.entities["rankers"][name]
        assert (ranker.loss, ranker.negatives, ranker.optimiser.batch_size) == ("cached-multiple-negatives", 7, 256)
        assert ranker.optimiser.weight_decay == 0.01
    mined = [recipe.negatives for name, recipe in paper.entities["recipes"].items() if name.endswith("-mined")]
    assert len(mined) == 7
    assert {(item.retriever, item.count, item.depth, item.guard.skip_top) for item in mined} == {
        ("e5-mined", 7, 200, 30)
    }


def test_kl_trains_on_the_groups_that_contrast_trains_on(config, paper):
    """The recipes differ only in the teacher, the rankers only in the loss."""
    recipes, rankers = paper.entities["recipes"], paper.entities["rankers"]
    taught = {name.removesuffix("-kl"): recipe for name, recipe in recipes.items() if name.endswith("-kl")}
    assert taught.keys() == {"msmarco-human", "msmarco-zero-shot", "msmarco-human-zero-shot"}
    for name, recipe in taught.items():
        assert recipe.teacher == "monot5-base-difference"
        assert recipe.model_copy(update={"teacher": None}) == recipes[f"{name}-mined"]
    distilled = rankers["e5-base-unsupervised-kl"]
    assert distilled.loss == "kl-divergence"
    whole = distilled.optimiser.model_copy(update={"batch_size": 4 * 64, "accumulation": 1})
    assert (distilled.optimiser.batch_size, distilled.optimiser.accumulation) == (64, 4)
    contrast = {"loss": "cached-multiple-negatives", "optimiser": whole}
    assert distilled.model_copy(update=contrast) == rankers["e5-base-unsupervised"]
    study = Study(config, read_yaml(config / "experiments/msmarco-kl.yaml"))
    assert study.experiment.rankers == ("e5-base-unsupervised", "e5-base-unsupervised-kl")
    assert study.experiment.seeds == paper.experiment.seeds
    assert study.experiment.vary == paper.experiment.vary


def test_generated_paradigms_have_negatives_of_the_same_kind(paper):
    recipes = paper.entities["recipes"]
    same = {name.removesuffix("-same"): recipe for name, recipe in recipes.items() if name.endswith("-same")}
    assert same.keys() == {
        "msmarco-zero-shot", "msmarco-few-shot-unsupervised", "msmarco-few-shot-supervised"
    }  # fmt: skip
    for name, recipe in same.items():
        negatives = recipe.negatives.model_copy(update={"source": "human"})
        assert recipe.model_copy(update={"negatives": negatives}) == recipes[name]
    claims = paper.experiment.claims.claims.values()
    assert {claim.control for claim in claims} >= {f"{name}-same" for name in same}


def test_twolar_training_queries_overlap_with_no_test_query(paper):
    testsets = paper.entities["testsets"]
    asked = {(spec.corpus, spec.split) for suite in paper.experiment.twolar.suites
             for spec in paper.testsets_of(suite).values()}  # fmt: skip
    for name in ("crop-10k", "doct5query-10k"):
        kept_apart = paper.entities["augmentations"][name].filters.testsets
        assert {(testsets[item].corpus, testsets[item].split) for item in kept_apart} == asked


def test_twolar_is_tested_where_it_was_published(paper):
    twolar = paper.experiment.twolar
    assert twolar.recipes[0] == "twolar-released"
    assert twolar.untrained == ("twolar-large-released", "twolar-xl-released")
    assert twolar.suites == ("trec-dl", "beir-rankgpt", "beir-rankgpt-splade", "beir-rankgpt-dragon")
    eight = {(spec.corpus, spec.split) for spec in paper.testsets_of("beir-rankgpt").values()}
    for suite, first_stage in (("splade", "splade-pp-ed"), ("dragon", "dragon-plus")):
        found = paper.testsets_of(f"beir-rankgpt-{suite}").values()
        assert {(spec.corpus, spec.split) for spec in found} == eight
        assert {spec.first_stage for spec in found} == {first_stage}
    losses = [paper.entities["rankers"][name] for name in twolar.ablations["loss"].rankers]
    assert {ranker.loss for ranker in losses} == {
        "ranknet", "listnet", "lambda", "lce", "rmse", "binary-cross-entropy"
    }  # fmt: skip
    assert {(ranker.optimiser.batch_size, ranker.optimiser.accumulation) for ranker in losses} == {(1, 32)}
    assert [ranker.weighing for ranker in losses if ranker.loss == "lambda"] == ["none"]
