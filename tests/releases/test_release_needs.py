"""Which files a release is made from, for the committed configuration; and what a dry run plans for the targets."""

import re
from types import SimpleNamespace

import pytest
from toy_experiment import snakemake

from synthrank.needs import Needs
from synthrank.specs.base import read_yaml
from synthrank.study import Study

WRITTEN = "results/passages/python-faq"


@pytest.fixture
def needs(study):
    return Needs(study)


def job(**names):
    return SimpleNamespace(**names)


def test_what_generated_passages_are_released_with(needs, config):
    made = job(corpus="python-faq", paradigm="few-shot-supervised", draw="1", llm="smollm2-135m")
    assert needs.released_replies(made) == [f"{WRITTEN}/few-shot-supervised/draw-1/smollm2-135m/replies.jsonl"]
    assert needs.released_exemplars(made) == [f"{WRITTEN}/few-shot-supervised/draw-1/exemplars.jsonl"]
    assert needs.released_prompt(made) == [f"{config}/prompts/passage-few-shot-supervised.md"]
    assert needs.released_llm(made) == [f"{config}/llms/smollm2-135m.yaml"]
    assert needs.llm_weights(made) == [f"{config}/models/smollm2-135m.yaml"]
    assert needs.released_exemplars(job(corpus="python-faq", paradigm="zero-shot", draw="0", llm="smollm2-135m")) == []


def test_human_passages_have_no_replies(needs):
    made = job(corpus="python-faq", paradigm="human", draw="0", llm="none")
    assert needs.released_replies(made) == needs.released_prompt(made) == needs.released_exemplars(made) == []
    assert needs.released_llm(made) == needs.llm_weights(made) == []


@pytest.mark.parametrize("measured", [False, True])
def test_what_was_measured_is_told_where_the_experiment_measures(config, measured):
    stated = {key: value for key, value in read_yaml(config / "config.yaml").items() if key != "validity"}
    if measured:
        stated["validity"] = {"retriever": "minilm"}
    needs = Needs(Study(config, stated))
    made = job(corpus="python-faq", paradigm="human", draw="0", llm="none")
    files = [f"results/validity/passages/python-faq/human/draw-0/none/{name}.json" for name in ("statistics", "leaks")]
    assert needs.released_statistics(made) + needs.released_leaks(made) == (files if measured else [])


def test_what_a_model_is_released_with(needs, config):
    made = job(recipe="human@50", llm="none", ranker="cross-encoder", seed="2")
    assert needs.recipe_spec(made) == f"{config}/recipes/human.yaml"
    assert needs.released_bases(made) == [f"{config}/rankers/cross-encoder-warm-up.yaml"]
    assert needs.released_pretrained(made) == f"{config}/models/all-minilm-l6-v2.yaml"
    assert needs.released_metrics(made) == [
        f"results/metrics/suites/{suite}/human@50/none/cross-encoder/seed-2.csv"
        for suite in needs.study.experiment.suites
    ]
    assert needs.released_bases(job(ranker="bi-encoder")) == []


def test_what_runs_are_released_with(needs, config):
    made = job(suite="faq", recipe="zero-shot@50", llm="smollm2-135m", ranker="cross-encoder", seed="1")
    assert needs.released_recipe(made) == [f"{config}/recipes/zero-shot.yaml"]
    assert needs.released_stats(made) == ["results/trainsets/zero-shot@50/smollm2-135m/draw-1/stats.json"]
    testsets = needs.study.testsets_of("faq").values()
    assert needs.suite_corpora(made) == [f"{config}/corpora/{item.corpus}.yaml" for item in testsets]
    assert needs.suite_retrievers(made) == [f"{config}/retrievers/bm25.yaml"] * len(testsets)
    untrained = job(suite="faq", recipe="none", llm="none", ranker="bi-encoder", seed="1")
    assert needs.released_recipe(untrained) == needs.released_stats(untrained) == []
    assert needs.suite_retrievers(untrained) == []
    own = job(suite="dl19-pool", ranker="dl-cross-encoder")
    assert needs.suite_retrievers(own) == [f"{config}/retrievers/{name}.yaml" for name in first_stages(needs, own)]


def first_stages(needs, made):
    return [path.split("/")[4] for path in needs.suite_first_stages(made)]


@pytest.mark.workflow
def test_the_workflow_knows_the_targets(edited):
    with (edited / "config/config.yaml").open("a") as stream:
        stream.write("sizes: {recipes: [human], queries: [4]}\n")
    releases = "results/releases"
    targets = (
        f"{releases}/passages/gardens/few-shot-supervised/draw-1/echo",
        f"{releases}/passages/gardens/human/draw-0/none",
        f"{releases}/models/human@4/none/bi-encoder/seed-1", f"{releases}/runs/toy/human@4/none/cross-encoder/seed-1",
        f"{releases}/runs/toy/none/none/bi-encoder/seed-1",
    )  # fmt: skip
    text = snakemake(edited, "--dry-run", "--", *targets).stdout
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE))
    assert {name: count for name, count in jobs.items() if name.startswith("release_")} == {
        "release_passages": "2", "release_model": "1", "release_runs": "2",
    }  # fmt: skip
    refused = snakemake(edited, "--dry-run", "--", f"{releases}/models/none/none/bi-encoder/seed-1", check=False)
    assert refused.returncode != 0, "an untrained model is somebody else's"
