"""What rules need of machines: jobs counted from the study, times from sizes and a few rates, needs from the rules."""

from pathlib import Path

import pytest

from synthrank.plan import plan, rates
from synthrank.plan.asked_for import AskedFor, FirstStage, Model
from synthrank.plan.resources import Resources, read_resources
from synthrank.plan.work import Work, work
from synthrank.plan.work_text import work_text
from synthrank.specs.base import read_yaml
from synthrank.study import Study

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture
def paper():
    return Study(PROJECT / "config", read_yaml(PROJECT / "config/paper.yaml"))


def changed(study, kind, name, **values):
    study.entities[kind][name] = study.entities[kind][name].model_copy(update=values)


def found(study, tmp_path):
    lines = list(plan(study, tmp_path, tmp_path / "store"))
    return {item.rule: item for item in work(study, lines)}


def test_the_jobs_of_the_full_study(paper, tmp_path):
    jobs = {rule: item.jobs for rule, item in found(paper, tmp_path).items()}
    # Recipes with each of two LLMs but the human one. In all tables 13 systems, at half size 7, with three rankers and
    # five seeds; at three sizes other than their own 7 systems, with two rankers and three seeds.
    tables = (13 + 4 + 7) * 3 * 5  # four: filtered passages by two LLMs, and queries of two kinds by one
    sizes = 7 * 3 * 2 * 3
    # In claims alone, with two bi-encoders: 13 systems against mined negatives, 5 of them with 1000 queries, 4 with
    # 5000; with the cross-encoder 6 against negatives of the positives' source.
    mined, same = (13 + 5 + 4) * 2 * 5, 6 * 5
    passage_study = tables + sizes + mined + same
    # two recipes with two rankers; of ablations two scores, three query sets, five sources, two depths, five losses
    distillation = (2 * 2 + 2 + 3 + 5 + 2 + 5) * 5
    assert jobs["train_ranker"] == passage_study + distillation
    # untrained: the cross-encoder with each seed; once two bi-encoders, two students and two released checkpoints
    assert jobs["score_suite"] == 2 * (passage_study + 5 + 2) + 4 * (distillation + 2 + 2)
    # two of the three rankers of the passage study are bi-encoders, one of the two of sizes; nothing else searches
    assert jobs["merge_suite"] == 2 * (tables * 2 // 3 + sizes // 2 + mined + 2)
    assert jobs["search_suite"] == 4 * jobs["merge_suite"]
    assert jobs["rerank_suite"] == 4 * (jobs["score_suite"] - jobs["merge_suite"])
    # MS MARCO, the thirteen, and the three of RankGPT's eight that are not among them
    assert jobs["build_passages"] == jobs["index_bm25"] == 14 + 3
    # SPLADE and DRAGON over MS MARCO and the eight; E5 over MS MARCO, to mine negatives
    assert jobs["encode_sparse"] == 9 * 4
    assert jobs["encode_dense"] == (9 + 1) * 4
    # 16 test sets and those three, the training and the development queries, and three sets of queries that are made
    # for TWOLAR, two for InPars and Promptagator
    assert jobs["search_bm25"] == 16 + 3 + 2 + 3 + 2
    # two of TREC DL and the eight, the same three sets, and the training queries
    assert jobs["search_sparse"] == 2 + 8 + 3
    assert jobs["search_dense"] == 2 + 8 + 3 + 1
    assert jobs["rerank_run"] == 3 * 4
    assert (jobs["generate_passages"], jobs["rank_candidates"]) == (6, 3)
    assert jobs["ask_queries"] == 2, "InPars and Promptagator"


def test_the_default_starts_from_warm_ups(study, tmp_path):
    asked = AskedFor(study)
    assert Model("warm-up", "none", "cross-encoder-warm-up", 1) in asked.checkpoints
    assert ("warm-up", "none") in asked.trainsets
    assert ("none", "none") not in asked.trainsets
    # candidates of the warm-up, of the recipes' negatives, of the pool; the last one is made of BM25's run
    assert FirstStage("python-faq", "bm25", "titles") in asked.runs
    assert FirstStage("python-headings", "bm25", "train") in asked.runs
    assert FirstStage("python-faq", "bm25-cross-encoder", "crop-and-llm") in asked.runs
    assert FirstStage("python-faq", "bm25", "crop-and-llm") in asked.runs
    # of a model on one's own machine nothing is known
    own = found(study, tmp_path)["generate_passages"]
    assert (own.seconds, own.hosted) == (None, False)


def test_the_times_are_sizes_times_rates(paper, tmp_path):
    works = found(paper, tmp_path)
    corpora = paper.entities["corpora"]

    def total(suites, count):
        return sum(count(corpora[spec.corpus], spec) for suite in suites for spec in paper.testsets_of(suite).values())

    def queries(corpus, spec):
        return corpus.counts.splits[spec.split].queries

    marco, eight = (
        corpora["msmarco-passage"].counts.passages,
        total(["beir-rankgpt"], lambda corpus, _: corpus.counts.passages),
    )
    assert works["encode_sparse"].seconds == pytest.approx((marco + eight) * 105 * 2 * 109e6 / rates.FLOPS)
    assert works["encode_dense"].seconds == pytest.approx((2 * marco + eight) * 105 * 2 * 85e6 / rates.FLOPS)
    own, twolar = total(paper.experiment.suites, queries), total(paper.twolar.suites, queries)
    large, xl, small = (100 * 120 * 2 * size * 1e6 / rates.FLOPS for size in (335, 1200, 21))
    # with each of five seeds 19 systems of TWOLAR-large and two of TWOLAR-xl; once both untrained, and as released
    distillation = twolar * ((5 * 19 + 2) * large + (5 * 2 + 2) * xl)
    passage_study = own * (5 * (13 + 4 + 7 + 6 + 1) + 3 * 21) * small
    assert works["rerank_suite"].seconds == pytest.approx(distillation + passage_study)


@pytest.mark.parametrize(
    ("recipe", "ranker", "rows"),
    [
        # two rates, each measured at its points on 500 development queries of 100 candidates
        ("msmarco-human", "minilm-cross-encoder", 2 * (2000 * 16 * 9 * 21 * 6 + 3 * 500 * 100 * 21 * 2)),
        ("msmarco-human", "e5-base-v2", 2 * (400 * 256 * 8 * 85 * 6 + 4 * 500 * 100 * 85 * 2)),
        ("msmarco-human-zero-shot@250", "minilm-cross-encoder", 2 * (2000 * 16 * 9 * 21 * 6 + 3 * 500 * 100 * 21 * 2)),
        ("twolar-depth-10", "twolar-large", 20_000 * 10 * 335 * 6),
        ("twolar-crop-10k", "twolar-xl", 10_000 * 30 * 1200 * 8),
        ("msmarco-graded", "e5-base-v2-listnet", 10_000 * 6 * 3 * 85 * 6),
    ],
)
def test_how_long_training_takes(paper, tmp_path, monkeypatch, recipe, ranker, rows):
    if "@" in recipe:
        base, _, size = recipe.partition("@")
        paper.entities["recipes"][recipe] = paper.entities["recipes"][base].sized(int(size))
    monkeypatch.setattr("synthrank.plan.asked_for._metrics", lambda study: [
        f"results/metrics/suites/trec-dl/{recipe}/none/{ranker}/seed-1.csv"
    ])  # fmt: skip
    item = found(paper, tmp_path)["train_ranker"]
    assert item.jobs == 1
    assert item.seconds == pytest.approx(rows * 120 * 1e6 / rates.FLOPS)


@pytest.mark.parametrize(
    ("changes", "operations"),
    [
        ({}, 4 + 2),  # adapters, whose own gradients are small, and activations computed twice
        ({"lora": None}, 6 + 2),
        ({"optimiser": {"gradient_checkpointing": False}}, 4),
        ({"lora": None, "optimiser": {"gradient_checkpointing": False}}, 6),
    ],
)
def test_how_long_a_decoder_takes(paper, tmp_path, monkeypatch, changes, operations):
    ranker = paper.entities["rankers"]["qwen3-reranker"]
    optimiser = ranker.optimiser.model_copy(update={"epochs": None, "max_updates": 10} | changes.pop("optimiser", {}))
    changed(paper, "rankers", "qwen3-reranker", optimiser=optimiser, **changes)
    monkeypatch.setattr("synthrank.plan.asked_for._metrics", lambda study: [
        "results/metrics/suites/trec-dl/msmarco-human/none/qwen3-reranker/seed-1.csv"
    ])  # fmt: skip
    works = found(paper, tmp_path)
    # beside a pair, of which T5's five words are a part, the prompt has 42 words: 55 tokens
    tokens = 120 + (len(ranker.prompt.split()) - 5) * rates.TOKENS_A_WORD
    assert tokens == pytest.approx(120 + 42 * 1.3)
    passages = 1 + paper.entities["recipes"]["msmarco-human"].negatives.count
    once = 440e6 * tokens / rates.FLOPS
    assert works["train_ranker"].seconds == pytest.approx(10 * 8 * 4 * passages * operations * once)
    assert works["rerank_suite"].seconds == pytest.approx((43 + 54) * 100 * 2 * once)


def test_what_is_not_stated_has_no_time(paper, tmp_path):
    counts = paper.entities["corpora"]["beir-trec-covid"].counts
    changed(paper, "corpora", "beir-trec-covid", counts=counts.model_copy(update={"passages": None}))
    changed(paper, "models", "flan-t5-xl", parameters=None)
    works = found(paper, tmp_path)
    unknown = {rule for rule, item in works.items() if item.seconds is None}
    assert {"build_passages", "index_bm25", "encode_dense", "search_suite", "train_ranker", "rerank_suite"} <= unknown
    assert "rerank_run" not in unknown


RULES = """rule a_gpu:
    threads: 1
    resources:
        mem_mb=by_attempt(8000),
        gpu=1,
    shell:
        "x"


rule asks:
    resources:
        mem_mb=100,
        gpu=needs.llm_gpus,


rule small:
    threads: 1
"""


def test_rules_say_what_they_need(tmp_path):
    (tmp_path / "stage.smk").write_text(RULES)
    assert read_resources(tmp_path) == {
        "a_gpu": Resources("1", "8000"), "asks": Resources("varies", "100"), "small": Resources(),
    }  # fmt: skip


def test_every_rule_of_the_plan_is_a_rule(paper, tmp_path):
    assert found(paper, tmp_path).keys() <= read_resources(PROJECT / "rules").keys()


def test_the_table_adds_up(tmp_path):
    (tmp_path / "stage.smk").write_text(RULES)
    works = [Work("a_gpu", 4, 7200.0), Work("small", 2, 3600.0), Work("asks", 1, 1800.0, hosted=True)]
    head, *rows = work_text([*works, Work("a_gpu", 1, None)], read_resources(tmp_path)).splitlines()
    assert head.split() == ["rule", "jobs", "GPUs", "memory", "MB", "hours", "each", "hours", "GPU", "hours"]
    assert [row.split() for row in rows[:5]] == [
        ["a_gpu", "4", "1", "8000", "0.50", "2.00", "2.00"],
        ["small", "2", "-", "-", "0.50", "1.00", "0.00"],
        ["asks", "1", "varies", "100", "0.50", "0.50", "0.00"],
        ["a_gpu", "1", "1", "8000", "?", "?", "?"],
        ["total", "8", "3.50", "2.00"],
    ]


def test_a_selection_trains_once_a_rate_and_reorders_at_every_point(tmp_path):
    experiment = read_yaml(PROJECT / "config/experiments/nfcorpus-selected.yaml")
    study = Study(PROJECT / "config", {**experiment, "rankers": ["nfcorpus-cross-encoder-selected"]})
    chosen = found(study, tmp_path)["train_ranker"]
    assert FirstStage("nfcorpus-shared", "bm25", "dev") in AskedFor(study).runs
    changed(study, "rankers", "nfcorpus-cross-encoder-selected", selection=None)
    plain = found(study, tmp_path)["train_ranker"]
    assert FirstStage("nfcorpus-shared", "bm25", "dev") not in AskedFor(study).runs
    assert chosen.jobs == plain.jobs == 1
    parameters = study.entities["models"]["all-minilm-l6-v2"].parameters * 1e6
    # three rates of two points, 324 questions, 20 candidates, the first 64 tokens
    scored = 3 * 2 * 324 * 20 * 64 * rates.FORWARD * parameters / rates.FLOPS
    assert chosen.seconds == pytest.approx(3 * plain.seconds + scored, rel=1e-6)
