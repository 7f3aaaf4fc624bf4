"""Inputs of releases, for the committed configuration, and their planned jobs."""

import re
from types import SimpleNamespace

import pytest
from rule_inputs import RuleInputs
from toy_experiment import snakemake

from synthrank.config.base import read_yaml
from synthrank.config.study import Study

WRITTEN = "results/passages/python-faq"


@pytest.fixture
def rules(study):
    return RuleInputs(study)


def job(**names):
    return SimpleNamespace(**names)


def test_inputs_of_releases_of_generated_passages(rules, config):
    made = job(corpus="python-faq", paradigm="few-shot-supervised", draw="1", llm="smollm2-135m")
    assert rules("release_passages.replies")(made) == [
        f"{WRITTEN}/few-shot-supervised/draw-1/smollm2-135m/replies.jsonl"
    ]
    assert rules("release_passages.exemplars")(made) == [f"{WRITTEN}/few-shot-supervised/draw-1/exemplars.jsonl"]
    assert rules("release_passages.prompt")(made) == [f"{config}/prompts/passage-few-shot-supervised.md"]
    assert rules("release_passages.llm")(made) == [f"{config}/llms/smollm2-135m.yaml"]
    assert rules("release_passages.weights")(made) == [f"{config}/models/smollm2-135m.yaml"]
    assert (
        rules("release_passages.exemplars")(
            job(corpus="python-faq", paradigm="zero-shot", draw="0", llm="smollm2-135m")
        )
        == []
    )


def test_releases_of_human_passages_read_no_replies(rules):
    made = job(corpus="python-faq", paradigm="human", draw="0", llm="none")
    assert (
        rules("release_passages.replies")(made)
        == rules("release_passages.prompt")(made)
        == rules("release_passages.exemplars")(made)
        == []
    )
    assert rules("release_passages.llm")(made) == rules("release_passages.weights")(made) == []


@pytest.mark.parametrize("measured", [False, True])
def test_releases_of_passages_include_measured_statistics(config, measured):
    stated = {key: value for key, value in read_yaml(config / "config.yaml").items() if key != "validity"}
    if measured:
        stated["validity"] = {"retriever": "minilm"}
    rules = RuleInputs(Study(config, stated))
    made = job(corpus="python-faq", paradigm="human", draw="0", llm="none")
    files = [f"results/validity/passages/python-faq/human/draw-0/none/{name}.json" for name in ("statistics", "leaks")]
    assert rules("release_passages.statistics")(made) + rules("release_passages.leaks")(made) == (
        files if measured else []
    )


def test_inputs_of_releases_of_models(rules, config):
    made = job(recipe="human@50", llm="none", ranker="cross-encoder", seed="2")
    assert rules.one("pair_trainset.spec")(made) == f"{config}/recipes/human.yaml"
    assert rules("release_model.bases")(made) == [f"{config}/rankers/cross-encoder-warm-up.yaml"]
    assert rules.one("release_model.pretrained")(made) == f"{config}/models/all-minilm-l6-v2.yaml"
    assert rules("release_model.metrics")(made) == [
        f"results/metrics/testsets/{testset}/human@50/none/cross-encoder/seed-2.csv"
        for testset in rules.study.testsets_of(*rules.study.experiment.suites)
    ]
    assert rules("release_model.bases")(job(ranker="bi-encoder")) == []


def test_inputs_of_releases_of_runs(rules, config):
    made = job(suite="faq", recipe="zero-shot@50", llm="smollm2-135m", ranker="cross-encoder", seed="1")
    assert rules("release_runs.spec")(made) == [f"{config}/recipes/zero-shot.yaml"]
    assert rules("release_runs.stats")(made) == ["results/trainsets/zero-shot@50/smollm2-135m/draw-1/stats.json"]
    names, testsets = zip(*rules.study.testsets_of("faq").items(), strict=True)
    assert rules("release_runs.testsets")(made) == [f"{config}/testsets/{name}.yaml" for name in names]
    runs = [f"results/runs/testsets/{name}/zero-shot@50/smollm2-135m/cross-encoder/seed-1" for name in names]
    assert rules("release_runs.runs")(made) == [f"{run}.trec" for run in runs]
    assert rules("release_runs.fused")(made) == [f"{run}+first-stage.trec" for run in runs]
    assert rules("release_runs.qrels")(made) == [f"results/corpora/{item.corpus}/test/qrels.txt" for item in testsets]
    assert rules("release_runs.corpora")(made) == [f"{config}/corpora/{item.corpus}.yaml" for item in testsets]
    assert rules("release_runs.first_stages")(made) == [f"{config}/retrievers/bm25.yaml"] * len(testsets)
    untrained = job(suite="faq", recipe="none", llm="none", ranker="bi-encoder", seed="1")
    assert rules("release_runs.spec")(untrained) == rules("release_runs.stats")(untrained) == []
    assert rules("release_runs.first_stages")(untrained) == rules("release_runs.fused")(untrained) == []
    own = job(suite="dl19-pool", testset="dl19-pool", ranker="dl-cross-encoder")
    assert rules.one("rerank_testset.first_stage")(own) == "results/runs/corpora/trec-dl19-pool/dl19-bm25/test.trec"
    assert rules("release_runs.first_stages")(own) == [f"{config}/retrievers/dl19-bm25.yaml"]


@pytest.mark.workflow
def test_snakemake_plans_the_targets_of_releases(edited):
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
    assert refused.returncode != 0, "an untrained model is not released"
