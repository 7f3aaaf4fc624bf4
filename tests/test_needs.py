"""Which files a job reads, for the committed configuration."""

import shutil
from types import SimpleNamespace

import pytest

from synthrank.needs import Needs
from synthrank.specs.base import read_yaml
from synthrank.study import Study


@pytest.fixture
def needs(study):
    return Needs(study)


@pytest.fixture
def at():
    """Return a function that makes wildcards."""
    return lambda **names: SimpleNamespace(**names)


CORPUS = "results/corpora/python-faq"
WRITTEN = "results/passages/python-faq"
RUN = "results/runs/corpora/python-faq/bm25/train.trec"


@pytest.mark.parametrize(
    ("recipe", "llm", "positives"),
    [
        ("human", "none", [f"{WRITTEN}/human/none/passages.jsonl"]),
        ("zero-shot", "smollm2-135m", [f"{WRITTEN}/zero-shot/smollm2-135m/passages.jsonl"]),
        (
            "human-zero-shot", "smollm2-135m",
            [f"{WRITTEN}/human/none/passages.jsonl", f"{WRITTEN}/zero-shot/smollm2-135m/passages.jsonl"],
        ),
    ],
)  # fmt: skip
def test_a_recipe_of_pairs(needs, at, recipe, llm, positives):
    job = at(recipe=recipe, llm=llm)
    assert needs.positives(job) == positives
    assert needs.negative_runs(job) == [RUN] * len(positives)
    assert needs.negative_passages(job) == [f"{CORPUS}/passages.jsonl"] * len(positives)
    assert needs.recipe_queries(job) == f"{CORPUS}/train/queries.jsonl"
    assert needs.recipe_qrels(job) == f"{CORPUS}/train/qrels.txt"
    assert needs.held_out_qrels(at(recipe=recipe)) == [f"{CORPUS}/test/qrels.txt"]


def test_negatives_of_the_same_source(config, tmp_path, at):
    folder = shutil.copytree(config, tmp_path / "config")
    path = folder / "recipes/human-zero-shot.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("source: human", "source: same"), encoding="utf-8")
    needs, job = Needs(Study(folder, read_yaml(folder / "config.yaml"))), at(recipe="human-zero-shot", llm="echo")
    assert needs.negative_runs(job) == [RUN, "results/runs/passages/python-faq/zero-shot/echo/bm25/train.trec"]
    assert needs.negative_passages(job) == [
        f"{CORPUS}/passages.jsonl",
        f"{WRITTEN}/zero-shot/echo/passages.jsonl",
    ]


def test_a_recipe_that_distils(needs, at, config):
    job = at(recipe="warm-up", llm="none")
    assert needs.recipe_queries(job) == "results/queries/python-faq/titles/queries.jsonl"
    assert needs.recipe_run(job) == "results/runs/corpora/python-faq/bm25/titles.trec"
    assert needs.recipe_passages(job) == f"{CORPUS}/passages.jsonl"
    assert needs.teacher_spec(job) == f"{config}/retrievers/minilm.yaml"
    assert needs.teacher_model(job) == "results/models/all-minilm-l6-v2"


def test_only_training_is_not_held_out(needs, at):
    splits = [f"results/corpora/nfcorpus/{split}/qrels.txt" for split in ("dev", "test")]
    assert needs.held_out_qrels(at(corpus="nfcorpus")) == splits
    assert needs.held_out_qrels(at(corpus="celery")) == ["results/corpora/celery/test/qrels.txt"]


def test_the_base_of_a_ranker(needs, at):
    job = at(ranker="cross-encoder", recipe="human", llm="none", seed="7")
    assert needs.base(job) == "results/checkpoints/warm-up/none/cross-encoder-warm-up/seed-7"
    assert needs.base(at(ranker="bi-encoder", seed="7")) == "results/models/all-minilm-l6-v2"


def test_the_model_that_ranks(needs, at):
    trained = at(ranker="cross-encoder", recipe="zero-shot", llm="echo", seed="2")
    assert needs.checkpoint(trained) == "results/checkpoints/zero-shot/echo/cross-encoder/seed-2"
    untrained = at(ranker="cross-encoder", recipe="none", llm="none", seed="2")
    assert needs.checkpoint(untrained) == "results/checkpoints/warm-up/none/cross-encoder-warm-up/seed-2"
    assert needs.checkpoint(at(ranker="bi-encoder", recipe="none", llm="none", seed="2")) == (
        "results/models/all-minilm-l6-v2"
    )


def test_models_and_prompts(needs, at, config):
    assert needs.llm_model(at(llm="smollm2-135m")) == ["results/models/smollm2-135m"]
    assert needs.llm_model(at(llm="echo")) == []
    assert needs.retriever_model(at(retriever="minilm")) == "results/models/all-minilm-l6-v2"
    assert needs.prompt(at(paradigm="few-shot-supervised")) == f"{config}/prompts/passage-few-shot-supervised.md"


def test_a_query_set_is_a_split_or_an_augmentation(needs, at):
    assert needs.queryset(at(corpus="celery", queryset="test")) == "results/corpora/celery/test/queries.jsonl"
    assert needs.queryset(at(corpus="celery", queryset="titles")) == "results/queries/celery/titles/queries.jsonl"


def test_what_a_corpus_is_read_from(needs, at, monkeypatch):
    assert needs.corpus_source(at(corpus="celery")) == ["results/corpora/celery/archives"]
    monkeypatch.delenv("SYNTHRANK_DATA", raising=False)
    assert needs.corpus_source(at(corpus="cacm")) == [
        f"data/cacm/{name}" for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
    ]
    monkeypatch.setenv("SYNTHRANK_DATA", "/elsewhere")
    assert needs.corpus_source(at(corpus="nfcorpus"))[-1] == "/elsewhere/nfcorpus/qrels/test.tsv"
    assert len(needs.corpus_source(at(corpus="nfcorpus"))) == 5


SUITE = ["python-faq", "sqlalchemy", "celery", "lxml", "cython"]


def test_a_suite(needs, at, config):
    job = at(suite="faq", ranker="cross-encoder")
    assert needs.suite_specs(job) == [f"{config}/testsets/{name}.yaml" for name in SUITE]
    assert needs.suite_passages(job) == [f"results/corpora/{name}/passages.jsonl" for name in SUITE]
    assert needs.suite_queries(job) == [f"results/corpora/{name}/test/queries.jsonl" for name in SUITE]
    assert needs.suite_qrels(job) == [f"results/corpora/{name}/test/qrels.txt" for name in SUITE]
    assert needs.suite_first_stages(job) == [f"results/runs/corpora/{name}/bm25/test.trec" for name in SUITE]
    assert needs.suite_first_stages(at(suite="faq", ranker="bi-encoder")) == []


def test_a_test_set(needs, at):
    job = at(testset="lxml", retriever="bm25")
    assert needs.testset_run(job) == "results/runs/corpora/lxml/bm25/test.trec"
    assert needs.testset_qrels(job) == "results/corpora/lxml/test/qrels.txt"


def test_what_the_tables_are_made_from(needs, config):
    metrics = needs.metrics
    assert metrics[:5] == [f"results/metrics/testsets/{name}/bm25.csv" for name in SUITE]
    # seven recipes and the untrained model, two rankers, one seed
    assert len(metrics) == 5 + 8 * 2
    assert metrics[5] == "results/metrics/suites/faq/none/none/cross-encoder/seed-1.csv"
    assert metrics[7] == "results/metrics/suites/faq/human/none/cross-encoder/seed-1.csv"
    assert metrics[-1] == "results/metrics/suites/faq/human-few-shot-supervised/smollm2-135m/bi-encoder/seed-1.csv"
    assert len(set(metrics)) == len(metrics)
    assert needs.recipe_specs[0] == f"{config}/recipes/human.yaml"
    assert len(needs.recipe_specs) == 7
    assert needs.testset_specs == [f"{config}/testsets/{name}.yaml" for name in SUITE]


def test_every_llm_and_seed_makes_results_but_human_passages_are_trained_on_once(config):
    experiment = {**read_yaml(config / "config.yaml"), "llms": ["echo", "smollm2-135m"], "seeds": [1, 2, 3],
                  "recipes": ["human", "zero-shot"], "rankers": ["bi-encoder"], "first_stages": []}  # fmt: skip
    metrics = Needs(Study(config, experiment)).metrics
    made = [f"{recipe}/{llm}/bi-encoder/seed-{seed}.csv"
            for recipe, llm in (("none", "none"), ("human", "none"), ("zero-shot", "echo"),
                                ("zero-shot", "smollm2-135m"))
            for seed in (1, 2, 3)]  # fmt: skip
    assert metrics == [f"results/metrics/suites/faq/{name}" for name in made]
