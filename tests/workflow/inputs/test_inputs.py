"""Inputs of jobs, for the committed configuration."""

import shutil
from functools import cached_property
from types import SimpleNamespace

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.workflow.inputs.base import by_attempt


@pytest.fixture
def rules(study):
    return RuleInputs(study)


@pytest.fixture
def at():
    """Return a function that makes wildcards."""
    return lambda **names: SimpleNamespace(**names)


CORPUS = "results/corpora/python-headings"
WRITTEN = "results/passages/python-headings"
RUN = "results/runs/corpora/python-headings/bm25/train.trec"
RUN_OVER_WRITTEN = "results/runs/passages/python-headings"


@pytest.mark.parametrize(
    ("recipe", "llm", "positives"),
    [
        ("human", "none", [f"{WRITTEN}/human/draw-0/none/passages.jsonl"]),
        ("zero-shot", "smollm2-135m", [f"{WRITTEN}/zero-shot/draw-0/smollm2-135m/passages.jsonl"]),
        (
            "human-zero-shot", "smollm2-135m",
            [f"{WRITTEN}/human/draw-0/none/passages.jsonl", f"{WRITTEN}/zero-shot/draw-0/smollm2-135m/passages.jsonl"],
        ),
    ],
)  # fmt: skip
def test_inputs_of_a_recipe_of_pairs(rules, at, recipe, llm, positives):
    job = at(recipe=recipe, llm=llm, draw="1")
    assert rules("pair_trainset.positives")(job) == positives
    assert rules("pair_trainset.negative_runs")(job) == [RUN] * len(positives)
    assert rules("pair_trainset.negative_passages")(job) == [f"{CORPUS}/passages.jsonl"] * len(positives)
    assert rules("pair_trainset.queries")(job) == [f"{CORPUS}/train/queries.jsonl"] * len(positives)
    assert rules("pair_trainset.passages")(job) == []
    assert rules.one("pair_trainset.qrels")(job) == f"{CORPUS}/train/qrels.txt"
    assert rules.one("pair_trainset.excluded")(at(recipe=recipe)) == f"{CORPUS}/train/excluded.txt"


def test_inputs_of_negatives_from_the_same_source(config, tmp_path, at):
    folder = shutil.copytree(config, tmp_path / "config")
    path = folder / "recipes/human-zero-shot.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("source: human", "source: same"), encoding="utf-8")
    rules, job = (
        RuleInputs(Study(folder, read_yaml(folder / "config.yaml"))),
        at(recipe="human-zero-shot", llm="echo", draw="1"),
    )
    assert rules("pair_trainset.negative_runs")(job) == [
        RUN,
        f"{RUN_OVER_WRITTEN}/zero-shot/draw-0/echo/bm25/train.trec",
    ]
    assert rules("pair_trainset.negative_passages")(job) == [
        f"{CORPUS}/passages.jsonl",
        f"{WRITTEN}/zero-shot/draw-0/echo/passages.jsonl",
    ]


def test_inputs_of_a_distillation_recipe(rules, at, config):
    job = at(recipe="warm-up", llm="none")
    assert rules.one("distil_trainset.queries")(job) == "results/queries/python-faq/titles/queries.jsonl"
    assert rules.one("distil_trainset.run")(job) == "results/runs/corpora/python-faq/bm25/titles.trec"
    assert rules.one("order_trainset.passages")(job) == "results/corpora/python-faq/passages.jsonl"
    assert rules.one("distil_trainset.teacher")(job) == f"{config}/retrievers/minilm.yaml"
    assert rules.one("distil_trainset.model")(job) == "results/models/all-minilm-l6-v2"


def test_exclude_passages_reads_every_split_except_the_training_split(rules, at):
    splits = [f"results/corpora/nfcorpus/{split}/qrels.txt" for split in ("dev", "test")]
    assert rules("exclude_passages.qrels")(at(corpus="nfcorpus", split="train")) == splits
    assert rules("exclude_passages.qrels")(at(corpus="celery", split="train")) == [
        "results/corpora/celery/test/qrels.txt"
    ]


def test_train_ranker_reads_the_checkpoint_or_model_of_the_base(rules, at):
    job = at(ranker="cross-encoder", recipe="human", llm="none", seed="7")
    assert rules.one("train_ranker.base")(job) == "results/checkpoints/warm-up/none/cross-encoder-warm-up/seed-7"
    assert rules.one("train_ranker.base")(at(ranker="bi-encoder", seed="7")) == "results/models/all-minilm-l6-v2"


def test_rerank_testset_reads_the_trained_or_untrained_checkpoint(rules, at):
    trained = at(ranker="cross-encoder", recipe="zero-shot", llm="echo", seed="2")
    assert rules.one("rerank_testset.checkpoint")(trained) == "results/checkpoints/zero-shot/echo/cross-encoder/seed-2"
    untrained = at(ranker="cross-encoder", recipe="none", llm="none", seed="2")
    assert (
        rules.one("rerank_testset.checkpoint")(untrained)
        == "results/checkpoints/warm-up/none/cross-encoder-warm-up/seed-2"
    )
    assert rules.one("rerank_testset.checkpoint")(at(ranker="bi-encoder", recipe="none", llm="none", seed="2")) == (
        "results/models/all-minilm-l6-v2"
    )


def test_inputs_of_models_and_prompts(rules, at, config):
    assert rules("generate_passages.model")(at(llm="smollm2-135m")) == ["results/models/smollm2-135m"]
    assert rules("generate_passages.model")(at(llm="echo")) == []
    assert rules.one("encode_dense.model")(at(retriever="minilm")) == "results/models/all-minilm-l6-v2"
    assert (
        rules.one("write_requests.prompt")(at(paradigm="few-shot-supervised"))
        == f"{config}/prompts/passage-few-shot-supervised.md"
    )


def test_search_reads_queries_of_a_split_or_an_augmentation(rules, at):
    assert (
        rules.one("search_bm25.queries")(at(corpus="celery", queryset="test"))
        == "results/corpora/celery/test/queries.jsonl"
    )
    assert (
        rules.one("search_bm25.queries")(at(corpus="celery", queryset="titles"))
        == "results/queries/celery/titles/queries.jsonl"
    )


def test_inputs_of_the_sources_of_corpora(rules, at, monkeypatch):
    assert rules.inputs.corpora.source(at(corpus="celery")) == ["results/corpora/celery/archives"]
    monkeypatch.delenv("SYNTHRANK_DATA", raising=False)
    assert rules.inputs.corpora.source(at(corpus="cacm")) == [
        f"data/cacm/{name}" for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
    ]
    monkeypatch.setenv("SYNTHRANK_DATA", "/elsewhere")
    assert rules.inputs.corpora.source(at(corpus="nfcorpus"))[-1] == "/elsewhere/nfcorpus/qrels/test.tsv"
    assert len(rules.inputs.corpora.source(at(corpus="nfcorpus"))) == 5


SUITE = [f"{name}-headings" for name in ("python", "sqlalchemy", "celery", "lxml", "cython")]


def test_inputs_of_a_test_set(rules, at):
    job = at(testset="lxml", retriever="bm25")
    assert rules.one("score_first_stage.run")(job) == "results/runs/corpora/lxml/bm25/test.trec"
    assert rules.one("rerank_testset.passages")(job) == "results/corpora/lxml/passages.jsonl"
    assert rules.one("rerank_testset.queries")(job) == "results/corpora/lxml/test/queries.jsonl"
    assert rules.one("score_testset.qrels")(job) == "results/corpora/lxml/test/qrels.txt"


def test_inputs_of_a_ranker_on_a_test_set(rules, at):
    job = at(testset="lxml", recipe="human", llm="none", ranker="static-reranker", seed="2")
    run = "results/runs/testsets/lxml/human/none/static-reranker/seed-2"
    assert rules.one("rerank_testset.first_stage")(job) == "results/runs/corpora/lxml/bm25/test.trec"
    assert rules("score_testset.runs")(job) == [f"{run}.trec", f"{run}+first-stage.trec"]
    assert rules.inputs.metrics.systems(job) == ["static-reranker", "static-reranker+bm25"]
    assert rules.inputs.metrics.depths(job) == ["50", "whole"]
    assert rules("rerank_testset.weight")(job) == ["results/runs/weights/human/none/static-reranker/seed-2.json"]
    assert rules("rerank_testset.weight")(at(**{**vars(job), "ranker": "cross-encoder"})) == []
    job = at(**{**vars(job), "ranker": "static"})
    assert rules("score_testset.runs")(job) == ["results/runs/testsets/lxml/human/none/static/seed-2.trec"]
    assert rules.inputs.metrics.systems(job) == ["static"]
    assert rules.inputs.metrics.depths(job) == ["whole"]


def test_search_of_a_corpus_with_several_test_sets_or_shards_reads_vectors(config, at):
    def vectors(testset, **changed):
        job = at(testset=testset, recipe="human", llm="none", ranker="bi-encoder", seed="1")
        plain = {"llms": [], "recipes": ["human"], "rankers": ["bi-encoder"], "seeds": [1], "suites": ["headings"],
                 "measures": ["nDCG@10"]}  # fmt: skip
        return RuleInputs(Study(config, plain | changed))("search_testset.vectors")(job)

    assert vectors("lxml-headings") == []
    folder = "results/runs/vectors/msmarco-passage/human/none/bi-encoder/seed-1"
    assert vectors("trec-dl19", suites=["msmarco"]) == [f"{folder}/1-of-1"], "three test sets share the corpus"
    assert vectors("nfcorpus", suites=["medicine"]) == []
    twice = vectors("nfcorpus", suites=["medicine", "medicine"])
    assert twice == [], "a test set in two suites counts once"
    folder = "results/runs/vectors/lxml-headings/human/none/bi-encoder/seed-1"
    assert vectors("lxml-headings", shards={"encode": 2}) == [f"{folder}/1-of-2", f"{folder}/2-of-2"]


def test_inputs_of_tables(rules, config):
    metrics = rules("make_tables.metrics")(None)
    assert metrics[:5] == [f"results/metrics/testsets/{name}/bm25.csv" for name in SUITE]
    # two recipes, two rankers, three seeds; seeds do not change the untrained rankers
    assert len(metrics) == 5 * (1 + 2 + 2 * 2 * 3)
    folder = "results/metrics/testsets"
    assert metrics[5:10] == [f"{folder}/{name}/none/none/static/seed-1.csv" for name in SUITE]
    assert metrics[15] == f"{folder}/python-headings/human/none/static/seed-1.csv"
    assert metrics[-1] == f"{folder}/cython-headings/zero-shot/smollm2-135m/static-reranker/seed-3.csv"
    assert len(set(metrics)) == len(metrics)
    assert rules("make_tables.recipes")(None) == [f"{config}/recipes/{name}.yaml" for name in ("human", "zero-shot")]
    assert rules("make_tables.testsets")(None) == [f"{config}/testsets/{name}.yaml" for name in SUITE]


def test_seeds_of_untrained_rankers_that_depend_on_the_seed_are_all_seeds(config):
    rules = RuleInputs(Study(config, read_yaml(config / "config.yaml")))
    assert rules.inputs.tables.seeds_of("none", "cross-encoder") == (1, 2, 3), (
        "the base is trained by a recipe with each seed"
    )
    assert rules.inputs.tables.seeds_of("none", "cross-encoder-warm-up") == (1, 2, 3), "a new head depends on the seed"
    assert rules.inputs.tables.seeds_of("none", "static") == (1,)
    assert rules.inputs.tables.seeds_of("human", "static") == (1, 2, 3)
    assert rules.inputs.tables.seeds_of("none", "static-reranker", [4, 5]) == (4,)


def test_tables_read_metrics_of_every_llm_and_seed_and_human_passages_once(config):
    experiment = {**read_yaml(config / "config.yaml"), "llms": ["echo", "smollm2-135m"], "seeds": [1, 2, 3],
                  "recipes": ["human", "zero-shot"], "rankers": ["bi-encoder"], "first_stages": []}  # fmt: skip
    metrics = RuleInputs(Study(config, experiment))("make_tables.metrics")(None)
    made = ["none/none/bi-encoder/seed-1.csv"]
    made += [f"{recipe}/{llm}/bi-encoder/seed-{seed}.csv"
             for recipe, llm in (("human", "none"), ("zero-shot", "echo"), ("zero-shot", "smollm2-135m"))
             for seed in (1, 2, 3)]  # fmt: skip
    assert metrics == [f"results/metrics/testsets/{testset}/{name}" for name in made for testset in SUITE]


@pytest.fixture
def ordered(config, tmp_path):
    """Return the inputs for order recipes of two kinds of queries and for teacher recipes."""
    folder = shutil.copytree(config, tmp_path / "config")
    for kind in ("pools", "rankings"):
        (folder / kind).mkdir(exist_ok=True)
    (folder / "pools/two.yaml").write_text("sources: [bm25, minilm]\nstrategy: rrf\n")
    (folder / "prompts/some-order.md").write_text(
        "---\ntask: listwise\ninputs: [query, passages]\n---\n# user\n{{ query }}{{ passages }}\n"
    )
    (folder / "rankings/some.yaml").write_text("kind: listwise\nprompt: some-order\n")
    order = "kind: order\ncorpus: nfcorpus\nqueries: {}\npool: two\nranking: some\n"
    (folder / "recipes/order-titles.yaml").write_text(order.format("titles"))
    corpus = folder / "corpora/nfcorpus.yaml"
    corpus.write_text(corpus.read_text().replace("development: dev\n", ""))  # a development split does not train
    (folder / "recipes/order-dev.yaml").write_text(order.format("dev"))
    teacher = "kind: teacher\ncorpus: nfcorpus\nsplit: dev\nfiles: [a/b.jsonl, c.jsonl]\nformat: ids\n"
    (folder / "recipes/teacher-dev.yaml").write_text(teacher)
    (folder / "recipes/teacher-any.yaml").write_text(teacher.replace("split: dev", "split: null"))
    return RuleInputs(Study(folder, read_yaml(folder / "config.yaml")))


def test_inputs_of_an_order_recipe(ordered, at):
    job = at(recipe="order-titles", llm="echo")
    pool = "results/rankings/nfcorpus/titles/two"
    assert ordered.one("order_trainset.candidates")(job) == f"{pool}/candidates.jsonl"
    assert ordered.one("order_trainset.orders")(job) == f"{pool}/some/echo/orders.jsonl"
    assert ordered.one("order_trainset.passages")(job) == "results/corpora/nfcorpus/passages.jsonl"


def test_inputs_of_a_teacher_recipe(ordered, at, monkeypatch):
    job = at(recipe="teacher-dev", llm="none")
    monkeypatch.delenv("SYNTHRANK_DATA", raising=False)
    assert ordered.inputs.trainsets.teacher_files(job) == ["data/a/b.jsonl", "data/c.jsonl"]
    monkeypatch.setenv("SYNTHRANK_DATA", "/elsewhere")
    assert ordered.inputs.trainsets.teacher_files(job) == ["/elsewhere/a/b.jsonl", "/elsewhere/c.jsonl"]
    assert ordered("teacher_trainset.queries")(job) == ["results/corpora/nfcorpus/dev/queries.jsonl"]
    assert ordered("teacher_trainset.held_out_queries")(job) == ["results/corpora/nfcorpus/test/queries.jsonl"]
    job = at(recipe="teacher-any", llm="none")
    assert ordered("teacher_trainset.queries")(job) == []
    assert ordered("teacher_trainset.held_out_queries")(job) == [
        f"results/corpora/nfcorpus/{name}/queries.jsonl" for name in ("dev", "test")
    ]


def test_excluded_passages_come_from_every_split_without_training(ordered, at):
    dev, test = (f"results/corpora/nfcorpus/{split}/qrels.txt" for split in ("dev", "test"))
    assert ordered("exclude_passages.qrels")(at(corpus="nfcorpus", split="train")) == [dev, test]
    assert ordered("exclude_passages.qrels")(at(corpus="nfcorpus", split="dev")) == [test]
    for_train, for_dev = (f"results/corpora/nfcorpus/{split}/excluded.txt" for split in ("train", "dev"))
    assert ordered.one("pair_trainset.excluded")(at(recipe="order-titles", llm="echo")) == for_train
    assert ordered.one("pair_trainset.excluded")(at(recipe="order-dev", llm="echo")) == for_dev
    assert ordered.one("pair_trainset.excluded")(at(recipe="teacher-dev", llm="none")) == for_dev
    assert ordered.one("pair_trainset.excluded")(at(recipe="teacher-any", llm="none")) == for_train
    teacher = ordered("exclude_passages.qrels")(at(corpus="trec-dl20-pool", split="train"))
    assert teacher == ["results/corpora/trec-dl20-pool/dev/qrels.txt"]
    teacher = ordered.one("pair_trainset.excluded")(at(recipe="dl20-teacher", llm="none"))
    assert teacher == "results/corpora/trec-dl20-pool/train/excluded.txt"


def test_inputs_of_releases_of_rankings(ordered, at):
    config = ordered.study.folder
    job = at(corpus="nfcorpus", queryset="dev", pool="two", llm="smollm2-135m")
    assert ordered("release_rankings.qrels")(job) == ["results/corpora/nfcorpus/dev/qrels.txt"]
    assert ordered("release_rankings.augmentation")(job) == []
    assert ordered("release_rankings.sources")(job) == [
        f"{config}/retrievers/bm25.yaml",
        f"{config}/retrievers/minilm.yaml",
    ]
    assert ordered("release_passages.weights")(job) == [f"{config}/models/smollm2-135m.yaml"]
    for queryset in ("titles", "titles@raw"):
        job = at(corpus="nfcorpus", queryset=queryset, pool="two", llm="gpt-4.1-mini")
        assert ordered("release_rankings.qrels")(job) == []
        assert ordered("release_rankings.augmentation")(job) == [f"{config}/augmentations/titles.yaml"]
        assert ordered("release_passages.weights")(job) == []


def test_source_of_a_corpus_with_parts_names_each_file_once(rules, at, monkeypatch):
    monkeypatch.setenv("SYNTHRANK_DATA", "/d")
    files = [f"/d/trec-dl20/{name}" for name in ("corpus.jsonl", "queries.jsonl", "qrels-full.txt")]
    assert rules.inputs.corpora.source(at(corpus="trec-dl20-pool")) == files


def test_pool_candidates_reads_the_run_of_each_source(rules, at):
    runs = [
        f"results/runs/corpora/nfcorpus/{source}/titles@raw.trec"
        for source in ("bm25", "splade-tiny", "minilm", "bm25-cross-encoder")
    ]
    assert rules("pool_candidates.runs")(at(corpus="nfcorpus", queryset="titles@raw", pool="four-sources")) == runs


@pytest.mark.parametrize("queryset", ["train", "titles", "titles@raw"])
def test_pool_candidates_of_training_queries_reads_excluded_passages(rules, at, queryset):
    excluded = ["results/corpora/nfcorpus/train/excluded.txt"]
    assert rules("pool_candidates.excluded")(at(corpus="nfcorpus", queryset=queryset)) == excluded


@pytest.mark.parametrize("queryset", ["dev", "test"])
def test_pool_candidates_of_held_out_queries_excludes_nothing(rules, at, queryset):
    assert rules("pool_candidates.excluded")(at(corpus="nfcorpus", queryset=queryset)) == []


def test_inputs_have_no_properties(rules):
    """Snakemake would evaluate properties for every target, also for experiments without their section."""
    stages = [stage for name, stage in vars(rules.inputs).items() if name != "study"]
    assert len(stages) == 12
    found = [f"{type(stage).__name__}.{name}" for stage in stages for name in dir(type(stage))
             if isinstance(getattr(type(stage), name), property | cached_property)]  # fmt: skip
    assert found == []


def test_training_resources_depend_on_ranker_and_attempt(config, tmp_path, at):
    folder = shutil.copytree(config, tmp_path / "config")
    spec = folder / "rankers/cross-encoder.yaml"
    spec.write_text(spec.read_text() + "gpus: 4\n")
    rules = RuleInputs(Study(folder, read_yaml(folder / "config.yaml")))
    one, four = at(ranker="bi-encoder"), at(ranker="cross-encoder")
    assert (rules.inputs.checkpoints.training_gpus(one), rules.inputs.checkpoints.training_gpus(four)) == (1, 4)
    launchers = ("python", "torchrun --standalone --nproc-per-node 4")
    assert (
        rules.inputs.checkpoints.training_launcher(one),
        rules.inputs.checkpoints.training_launcher(four),
    ) == launchers
    assert [rules.inputs.checkpoints.training_mb(one, attempt) for attempt in (1, 2)] == [16000, 32000]
    assert [rules.inputs.checkpoints.training_mb(four, attempt) for attempt in (1, 2)] == [64000, 128000]
    assert [by_attempt(720)(one, attempt=attempt) for attempt in (1, 2, 3)] == [720, 1440, 2160]


def test_rank_candidates_reads_the_prompt_of_the_ranking(rules, at):
    assert rules.one("rank_candidates.prompt")(at(ranking="listwise-20-10")).endswith("config/prompts/rank-listwise.md")


def test_inputs_of_an_augmentation_depend_on_its_kind(rules, at, config):
    asked = at(corpus="python-faq", augmentation="llm-queries")
    assert rules.one("ask_queries.prompt")(asked) == f"{config}/prompts/query-zero-shot.md"
    assert rules.one("ask_queries.llm")(asked) == f"{config}/llms/smollm2-135m.yaml"
    assert rules("ask_queries.model")(asked) == ["results/models/smollm2-135m"]
    assert (rules.inputs.llms.api(asked), rules.inputs.llms.gpus(asked), rules.inputs.llms.minutes(asked, 1)) == (
        0,
        1,
        600,
    )
    assert rules.inputs.llms.minutes(asked, attempt=2) == 1200
    assert rules("ask_queries.exemplars")(asked) == []
    assert (
        rules.one("predict_queries.model")(at(corpus="msmarco-passage", augmentation="doct5query-10k"))
        == "results/models/doct5query"
    )
    assert rules("mix_queries.parts")(at(corpus="python-faq", augmentation="crop-and-llm")) == [
        "results/queries/python-faq/crop/queries.jsonl", "results/queries/python-faq/llm-queries/queries.jsonl",
    ]  # fmt: skip


def test_filter_queries_reads_test_sets_and_the_run_of_unfiltered_queries(config, tmp_path, at):
    folder = shutil.copytree(config, tmp_path / "config")
    (folder / "augmentations/asked.yaml").write_text(
        "kind: llm-query\nprompt: query-inpars\nllm: gpt-4.1-mini\ncount: 9\nexemplars: 3\n"
        "filters: {testsets: [nfcorpus, trec-dl19], round_trip: {retriever: minilm}}\n"
    )
    rules = RuleInputs(Study(folder, read_yaml(folder / "config.yaml")))
    asked, plain = (at(corpus="nfcorpus", augmentation=name) for name in ("asked", "titles"))
    assert rules("filter_queries.testsets")(asked) == [
        "results/corpora/nfcorpus/test/queries.jsonl", "results/corpora/msmarco-passage/dl19/queries.jsonl",
    ]  # fmt: skip
    assert rules("filter_queries.run")(asked) == ["results/runs/corpora/nfcorpus/minilm/asked@raw.trec"]
    assert rules("ask_queries.exemplars")(asked) == [f"results/queries/nfcorpus/{asked.augmentation}/exemplars.jsonl"]
    assert (rules("ask_queries.model")(asked), rules.inputs.llms.api(asked)) == ([], 1)
    assert rules("filter_queries.testsets")(plain) == rules("filter_queries.run")(plain) == []
