"""Which files a job reads, for the committed configuration."""

import shutil
from types import SimpleNamespace

import pytest

from synthrank.needs import Needs
from synthrank.needs.base import by_attempt
from synthrank.specs.base import read_yaml
from synthrank.study import Study


@pytest.fixture
def needs(study):
    return Needs(study)


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
def test_a_recipe_of_pairs(needs, at, recipe, llm, positives):
    job = at(recipe=recipe, llm=llm, draw="1")
    assert needs.positives(job) == positives
    assert needs.negative_runs(job) == [RUN] * len(positives)
    assert needs.negative_passages(job) == [f"{CORPUS}/passages.jsonl"] * len(positives)
    assert needs.pair_queries(job) == [f"{CORPUS}/train/queries.jsonl"] * len(positives)
    assert needs.human_passages(job) == []
    assert needs.recipe_qrels(job) == f"{CORPUS}/train/qrels.txt"
    assert needs.held_out_qrels(at(recipe=recipe)) == [f"{CORPUS}/{split}/qrels.txt" for split in ("dev", "test")]


def test_negatives_of_the_same_source(config, tmp_path, at):
    folder = shutil.copytree(config, tmp_path / "config")
    path = folder / "recipes/human-zero-shot.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("source: human", "source: same"), encoding="utf-8")
    needs, job = (
        Needs(Study(folder, read_yaml(folder / "config.yaml"))),
        at(recipe="human-zero-shot", llm="echo", draw="1"),
    )
    assert needs.negative_runs(job) == [RUN, f"{RUN_OVER_WRITTEN}/zero-shot/draw-0/echo/bm25/train.trec"]
    assert needs.negative_passages(job) == [
        f"{CORPUS}/passages.jsonl",
        f"{WRITTEN}/zero-shot/draw-0/echo/passages.jsonl",
    ]


def test_a_recipe_that_distils(needs, at, config):
    job = at(recipe="warm-up", llm="none")
    assert needs.recipe_queries(job) == "results/queries/python-faq/titles/queries.jsonl"
    assert needs.recipe_run(job) == "results/runs/corpora/python-faq/bm25/titles.trec"
    assert needs.recipe_passages(job) == "results/corpora/python-faq/passages.jsonl"
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


SUITE = [f"{name}-headings" for name in ("python", "sqlalchemy", "celery", "lxml", "cython")]


def test_a_suite(needs, at, config):
    job = at(suite="headings", ranker="static-reranker")
    assert needs.suite_specs(job) == [f"{config}/testsets/{name}.yaml" for name in SUITE]
    assert needs.suite_passages(job) == [f"results/corpora/{name}/passages.jsonl" for name in SUITE]
    assert needs.suite_queries(job) == [f"results/corpora/{name}/test/queries.jsonl" for name in SUITE]
    assert needs.suite_qrels(job) == [f"results/corpora/{name}/test/qrels.txt" for name in SUITE]
    assert needs.suite_first_stages(job) == [f"results/runs/corpora/{name}/bm25/test.trec" for name in SUITE]
    assert needs.suite_first_stages(at(suite="headings", ranker="static")) == []


def test_a_test_set(needs, at):
    job = at(testset="lxml", retriever="bm25")
    assert needs.testset_run(job) == "results/runs/corpora/lxml/bm25/test.trec"
    assert needs.testset_qrels(job) == "results/corpora/lxml/test/qrels.txt"


def test_what_the_tables_are_made_from(needs, config):
    metrics = needs.metrics
    assert metrics[:5] == [f"results/metrics/testsets/{name}/bm25.csv" for name in SUITE]
    # two recipes, two rankers, three seeds; no seed moves the untrained rankers
    assert len(metrics) == 5 + 2 + 2 * 2 * 3
    assert metrics[5] == "results/metrics/suites/headings/none/none/static/seed-1.csv"
    assert metrics[7] == "results/metrics/suites/headings/human/none/static/seed-1.csv"
    assert metrics[-1] == "results/metrics/suites/headings/zero-shot/smollm2-135m/static-reranker/seed-3.csv"
    assert len(set(metrics)) == len(metrics)
    assert needs.recipes_of("main")(None) == [f"{config}/recipes/{name}.yaml" for name in ("human", "zero-shot")]
    assert needs.testset_specs == [f"{config}/testsets/{name}.yaml" for name in SUITE]


def test_an_untrained_cross_encoder_and_a_base_that_was_trained_here_are_measured_with_every_seed(config):
    needs = Needs(Study(config, read_yaml(config / "config.yaml")))
    assert needs.seeds_of("none", "cross-encoder") == (1, 2, 3), "its base is made by a recipe, with each seed"
    assert needs.seeds_of("none", "cross-encoder-warm-up") == (1, 2, 3), "it may draw a new head"
    assert needs.seeds_of("none", "static") == (1,)
    assert needs.seeds_of("human", "static") == (1, 2, 3)
    assert needs.seeds_of("none", "static-reranker", [4, 5]) == (4,)


def test_every_llm_and_seed_makes_results_but_human_passages_are_trained_on_once(config):
    experiment = {**read_yaml(config / "config.yaml"), "llms": ["echo", "smollm2-135m"], "seeds": [1, 2, 3],
                  "recipes": ["human", "zero-shot"], "rankers": ["bi-encoder"], "first_stages": []}  # fmt: skip
    metrics = Needs(Study(config, experiment)).metrics
    made = ["none/none/bi-encoder/seed-1.csv"]
    made += [f"{recipe}/{llm}/bi-encoder/seed-{seed}.csv"
             for recipe, llm in (("human", "none"), ("zero-shot", "echo"), ("zero-shot", "smollm2-135m"))
             for seed in (1, 2, 3)]  # fmt: skip
    assert metrics == [f"results/metrics/suites/headings/{name}" for name in made]


@pytest.fixture
def ordered(config, tmp_path):
    """A copy of the configuration with an order recipe of each kind of queries, and a teacher of another split."""
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
    corpus.write_text(corpus.read_text().replace("development: dev\n", ""))  # what is chosen on does not train
    (folder / "recipes/order-dev.yaml").write_text(order.format("dev"))
    teacher = "kind: teacher\ncorpus: nfcorpus\nsplit: dev\nfiles: [a/b.jsonl, c.jsonl]\nformat: ids\n"
    (folder / "recipes/teacher-dev.yaml").write_text(teacher)
    (folder / "recipes/teacher-any.yaml").write_text(teacher.replace("split: dev", "split: null"))
    return Needs(Study(folder, read_yaml(folder / "config.yaml")))


def test_a_recipe_of_orders(ordered, at):
    job = at(recipe="order-titles", llm="echo")
    pool = "results/rankings/nfcorpus/titles/two"
    assert ordered.order_candidates(job) == f"{pool}/candidates.jsonl"
    assert ordered.orders(job) == f"{pool}/some/echo/orders.jsonl"
    assert ordered.recipe_passages(job) == "results/corpora/nfcorpus/passages.jsonl"


def test_a_recipe_of_recorded_orders(ordered, at, monkeypatch):
    job = at(recipe="teacher-dev", llm="none")
    monkeypatch.delenv("SYNTHRANK_DATA", raising=False)
    assert ordered.teacher_files(job) == ["data/a/b.jsonl", "data/c.jsonl"]
    monkeypatch.setenv("SYNTHRANK_DATA", "/elsewhere")
    assert ordered.teacher_files(job) == ["/elsewhere/a/b.jsonl", "/elsewhere/c.jsonl"]
    assert ordered.teacher_queries(job) == ["results/corpora/nfcorpus/dev/queries.jsonl"]
    assert ordered.held_out_queries(job) == ["results/corpora/nfcorpus/test/queries.jsonl"]
    job = at(recipe="teacher-any", llm="none")
    assert ordered.teacher_queries(job) == []
    assert ordered.held_out_queries(job) == [
        f"results/corpora/nfcorpus/{name}/queries.jsonl" for name in ("dev", "test")
    ]


def test_held_out_is_every_split_that_does_not_train(ordered, at):
    dev, test = (f"results/corpora/nfcorpus/{split}/qrels.txt" for split in ("dev", "test"))
    assert ordered.held_out_qrels(at(recipe="order-titles", llm="echo")) == [dev, test]
    assert ordered.held_out_qrels(at(recipe="order-dev", llm="echo")) == [test]
    assert ordered.held_out_qrels(at(recipe="teacher-dev", llm="none")) == [test]
    teacher = ordered.held_out_qrels(at(recipe="dl20-teacher", llm="none"))
    assert teacher == ["results/corpora/trec-dl20-pool/dev/qrels.txt"]


def test_what_is_released_with_orders(ordered, at):
    config = ordered.study.folder
    job = at(corpus="nfcorpus", queryset="dev", pool="two", llm="smollm2-135m")
    assert ordered.queryset_qrels(job) == ["results/corpora/nfcorpus/dev/qrels.txt"]
    assert ordered.queryset_augmentation(job) == []
    assert ordered.pool_sources(job) == [f"{config}/retrievers/bm25.yaml", f"{config}/retrievers/minilm.yaml"]
    assert ordered.llm_weights(job) == [f"{config}/models/smollm2-135m.yaml"]
    for queryset in ("titles", "titles@raw"):
        job = at(corpus="nfcorpus", queryset=queryset, pool="two", llm="gpt-4.1-mini")
        assert ordered.queryset_qrels(job) == []
        assert ordered.queryset_augmentation(job) == [f"{config}/augmentations/titles.yaml"]
        assert ordered.llm_weights(job) == []


def test_the_file_of_a_part_is_read_once(needs, at, monkeypatch):
    monkeypatch.setenv("SYNTHRANK_DATA", "/d")
    files = [f"/d/trec-dl20/{name}" for name in ("corpus.jsonl", "queries.jsonl", "qrels-full.txt")]
    assert needs.corpus_source(at(corpus="trec-dl20-pool")) == files


def test_a_pool_reads_the_run_of_each_source(needs, at):
    runs = [
        f"results/runs/corpora/nfcorpus/{source}/titles@raw.trec"
        for source in ("bm25", "splade-tiny", "minilm", "bm25-cross-encoder")
    ]
    assert needs.pool_runs(at(corpus="nfcorpus", queryset="titles@raw", pool="four-sources")) == runs


@pytest.mark.parametrize("queryset", ["train", "titles", "titles@raw"])
def test_candidates_of_training_queries_answer_no_held_out_one(needs, at, queryset):
    held_out = [f"results/corpora/nfcorpus/{split}/qrels.txt" for split in ("dev", "test")]
    assert needs.held_out_from_queryset(at(corpus="nfcorpus", queryset=queryset)) == held_out


@pytest.mark.parametrize("queryset", ["dev", "test"])
def test_candidates_of_held_out_queries_may_answer_them(needs, at, queryset):
    assert needs.held_out_from_queryset(at(corpus="nfcorpus", queryset=queryset)) == []


def test_no_stage_hides_what_another_needs():
    """The stages' classes are mixed into one: of two methods of one name, the rules would see the first."""
    own = [name for stage in Needs.__bases__ for name in vars(stage) if not name.startswith("__")]
    assert sorted(own) == sorted(set(own))


def test_no_two_stages_have_a_need_of_one_name():
    """They are mixed into one class, where the first of two would silently answer for both."""
    named = [(name, stage.__name__) for stage in Needs.__mro__[1:-1] for name in vars(stage) if "__" not in name]
    assert len({name for name, _ in named}) == len(named), sorted(named)


def test_a_training_gets_what_its_ranker_and_its_attempt_ask_for(config, tmp_path, at):
    folder = shutil.copytree(config, tmp_path / "config")
    spec = folder / "rankers/cross-encoder.yaml"
    spec.write_text(spec.read_text() + "gpus: 4\n")
    needs = Needs(Study(folder, read_yaml(folder / "config.yaml")))
    one, four = at(ranker="bi-encoder"), at(ranker="cross-encoder")
    assert (needs.training_gpus(one), needs.training_gpus(four)) == (1, 4)
    launchers = ("python", "torchrun --standalone --nproc-per-node 4")
    assert (needs.training_launcher(one), needs.training_launcher(four)) == launchers
    assert [needs.training_mb(one, attempt) for attempt in (1, 2)] == [16000, 32000]
    assert [needs.training_mb(four, attempt) for attempt in (1, 2)] == [64000, 128000]
    assert [by_attempt(720)(one, attempt=attempt) for attempt in (1, 2, 3)] == [720, 1440, 2160]


def test_a_ranking_reads_its_prompt(needs, at):
    assert needs.ranking_prompt(at(ranking="listwise-20-10")).endswith("config/prompts/rank-listwise.md")


def test_an_augmentation_reads_what_its_kind_needs(needs, at, config):
    asked = at(corpus="python-faq", augmentation="llm-queries")
    assert needs.query_prompt(asked) == f"{config}/prompts/query-zero-shot.md"
    assert needs.query_llm(asked) == f"{config}/llms/smollm2-135m.yaml"
    assert needs.llm_model(asked) == ["results/models/smollm2-135m"]
    assert (needs.llm_api(asked), needs.llm_gpus(asked), needs.llm_minutes(asked, 1)) == (0, 1, 600)
    assert needs.llm_minutes(asked, attempt=2) == 1200
    assert needs.query_exemplars(asked) == []
    assert needs.query_model(at(corpus="msmarco-passage", augmentation="doct5query-10k")) == "results/models/doct5query"
    assert needs.mixture_parts(at(corpus="python-faq", augmentation="crop-and-llm")) == [
        "results/queries/python-faq/crop/queries.jsonl", "results/queries/python-faq/llm-queries/queries.jsonl",
    ]  # fmt: skip


def test_filters_read_test_sets_and_the_run_of_the_unfiltered_queries(config, tmp_path, at):
    folder = shutil.copytree(config, tmp_path / "config")
    (folder / "augmentations/asked.yaml").write_text(
        "kind: llm-query\nprompt: query-inpars\nllm: gpt-4.1-mini\ncount: 9\nexemplars: 3\n"
        "filters: {testsets: [nfcorpus, trec-dl19], round_trip: {retriever: minilm}}\n"
    )
    needs = Needs(Study(folder, read_yaml(folder / "config.yaml")))
    asked, plain = (at(corpus="nfcorpus", augmentation=name) for name in ("asked", "titles"))
    assert needs.filter_testsets(asked) == [
        "results/corpora/nfcorpus/test/queries.jsonl", "results/corpora/msmarco-passage/dl19/queries.jsonl",
    ]  # fmt: skip
    assert needs.round_trip_run(asked) == ["results/runs/corpora/nfcorpus/minilm/asked@raw.trec"]
    assert needs.query_exemplars(asked) == [f"results/queries/nfcorpus/{asked.augmentation}/exemplars.jsonl"]
    assert (needs.llm_model(asked), needs.llm_api(asked)) == ([], 1)
    assert needs.filter_testsets(plain) == needs.round_trip_run(plain) == []
