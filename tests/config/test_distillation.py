"""The distillation study: its parts, the inputs of its tables, and invalid studies."""

import re
from types import SimpleNamespace

import pytest
from distillation_study import make_config, make_study
from rule_inputs import RuleInputs

from synthrank.config.distillation import (
    Ranked,
    first_stages,
    pair_recipes_with_llms,
    rankings,
    recipes_of,
    written_queries,
)
from synthrank.errors import ConfigError

TESTSETS = ["python-faq", "sqlalchemy", "celery", "lxml", "cython"]
ANY = SimpleNamespace()


@pytest.fixture
def copy(tmp_path, config):
    return make_config(tmp_path, config)


@pytest.fixture
def study(copy):
    return make_study(copy)


def test_recipes_include_recipes_of_ablations(study):
    assert recipes_of(study) == ["order-blend", "order-train", "human", "zero-shot", "order-choices"]


def test_recipes_without_generated_passages_are_paired_with_no_llm(study):
    llms = ["a", "b"]
    assert pair_recipes_with_llms(study, ["human", "order-blend", "warm-up"], llms) == [
        ("human", "none"), ("order-blend", "a"), ("order-blend", "b"), ("warm-up", "none")
    ]  # fmt: skip


def test_rankings_cover_recipes_and_first_stages_without_duplicates(study):
    blend = [Ranked("python-faq", "blend", "two", "windows", llm) for llm in ("gpt-4.1-mini", "echo")]
    train = [Ranked("python-faq", "train", "two", "windows", llm) for llm in ("gpt-4.1-mini", "echo")]
    ablated = [Ranked("python-faq", "blend", "two", "choices", llm) for llm in ("gpt-4.1-mini", "echo")]
    tests = [Ranked(name, "test", "two", "choices", "echo") for name in TESTSETS]
    assert rankings(study) == [*blend, *train, *ablated, *tests]


def test_queries_that_an_llm_generates_inside_a_mixture_are_found(study):
    assert written_queries(study) == [("python-faq", "asked")]


def test_first_stages_include_the_run_that_a_test_set_names(study):
    assert first_stages(study, "celery") == ["as-ordered", "bm25"]
    assert first_stages(study, "lxml") == ["as-ordered", "minilm"], "the test set names the run to rerank"


def test_twolar_table_inputs_are_scores_of_first_stages_and_students(study, copy):
    rules = RuleInputs(study)
    metrics = rules("make_twolar_table.metrics")(ANY)
    first = [f"results/metrics/testsets/{name}/{retriever}.csv" for name in TESTSETS
             for retriever in ("as-ordered", "minilm" if name == "lxml" else "bm25")]  # fmt: skip
    systems = ["none/none", "order-blend/gpt-4.1-mini", "order-blend/echo", "order-train/gpt-4.1-mini",
               "order-train/echo", "human/none", "zero-shot/gpt-4.1-mini", "zero-shot/echo"]  # fmt: skip
    students = [f"results/metrics/testsets/{name}/{system}/{ranker}/seed-{seed}.csv"
                for system in systems for ranker in ("pupil-again", "bi-encoder") for seed in (1, 2, 3)
                for name in TESTSETS
                if (system, ranker) != ("none/none", "bi-encoder") or seed == 1]  # fmt: skip
    assert metrics == first + students, "an untrained bi-encoder does not depend on the seed"
    assert rules.inputs.tables.twolar_measures(ANY) == ["nDCG@1", "nDCG@10"]
    assert rules("make_twolar_table.rankers")(ANY) == [f"{copy}/rankers/{name}.yaml" for name in
                                         ("pupil-again", "bi-encoder", "pupil")]  # fmt: skip
    assert rules("make_twolar_table.retrievers")(ANY) == [f"{copy}/retrievers/{name}.yaml" for name in
                                            ("as-ordered", "bm25", "minilm")]  # fmt: skip
    assert rules("make_twolar_table.published")(ANY) == [f"{copy}/published/little.yaml"]
    assert RuleInputs(make_study(copy, {"published": None}))("make_twolar_table.published")(ANY) == []


def test_a_study_with_other_suites_and_untrained_rankers_does_not_change_other_tables(copy):
    (copy / "suites/again.yaml").write_text("testsets: [dl19-pool, nfcorpus]\n")
    study = make_study(copy, {"suites": ["medicine", "again"], "untrained": ["pupil"]}, seeds=[3, 4])
    rules = RuleInputs(study)
    names = ["nfcorpus", "cacm", "dl19-pool"]  # no duplicates, although two suites contain nfcorpus
    assert rules("make_twolar_table.testsets")(ANY) == [f"{copy}/testsets/{name}.yaml" for name in names]
    metrics = rules("make_twolar_table.metrics")(ANY)
    assert {path.split("/")[3] for path in metrics} == {*names}
    assert len({*metrics}) == len(metrics)
    assert [path for path in metrics if "/pupil/" in path] == [
        f"results/metrics/testsets/{name}/none/none/pupil/seed-3.csv" for name in names
    ]
    assert f"{copy}/rankers/pupil.yaml" in rules("make_twolar_table.rankers")(ANY)
    assert {
        path.split("/")[3] for path in rules("make_ablation_table.metrics")(SimpleNamespace(ablation="rankings"))
    } == {*names}
    assert {path.split("/")[3] for path in rules("make_tables.metrics")(ANY)} == {
        f"{name}-headings" for name in ("python", "sqlalchemy", "celery", "lxml", "cython")
    }, "other tables do not change"
    with pytest.raises(ConfigError, match=r"^experiment: twolar\.untrained: 'bi-encoder' is also in twolar\.rankers"):
        make_study(copy, {"untrained": ["bi-encoder"]})


def test_ablation_table_inputs_are_scores_of_its_recipes(study):
    wildcards = SimpleNamespace(ablation="rankings")
    rules = RuleInputs(study)
    assert rules.inputs.tables.ablation(wildcards).recipes == ("order-blend", "order-choices")
    assert rules("make_ablation_table.metrics")(wildcards) == [
        f"results/metrics/testsets/{name}/{recipe}/{llm}/pupil/seed-{seed}.csv"
        for recipe in ("order-blend", "order-choices") for llm in ("gpt-4.1-mini", "echo") for seed in (1, 2, 3)
        for name in TESTSETS
    ]  # fmt: skip


def test_ranking_table_inputs_are_counts_and_pools_of_every_ranking(study):
    rules = RuleInputs(study)
    counts, pools = rules("make_ranking_table.counts")(ANY), rules("make_ranking_table.pools")(ANY)
    assert len(counts) == len(pools) == 6 + len(TESTSETS)
    assert counts[0] == "results/rankings/python-faq/blend/two/windows/gpt-4.1-mini/counts.json"
    assert pools[0] == "results/rankings/python-faq/blend/two/stats.json"
    assert counts[-1] == "results/rankings/cython/test/two/choices/echo/counts.json"
    assert all(count.startswith(pool.removesuffix("stats.json")) for count, pool in zip(counts, pools, strict=True))


def test_the_distillation_study_does_not_change_inputs_of_other_tables(study, copy):
    plain = make_study(copy, None)
    assert RuleInputs(study)("make_tables.metrics")(ANY) == RuleInputs(plain)("make_tables.metrics")(ANY)


def test_reply_tables_count_both_studies(study, copy):
    plain = RuleInputs(make_study(copy, None))
    of_passages = plain("make_reply_tables.replies")(ANY)
    assert plain("make_reply_tables.query_replies")(ANY) == []
    rules = RuleInputs(study)
    assert rules("make_reply_tables.replies")(ANY) == of_passages + [
        f"results/passages/python-headings/zero-shot/draw-0/{llm}/replies.jsonl" for llm in ("gpt-4.1-mini", "echo")
    ]
    assert rules("make_reply_tables.query_replies")(ANY) == ["results/queries/python-faq/asked/replies.jsonl"]
    assert rules("make_reply_tables.augmentations")(ANY) == [f"{copy}/augmentations/asked.yaml"]
    assert rules("make_reply_tables.query_llms")(ANY) == [f"{copy}/llms/gemini-2.5-flash.yaml"]


def test_measures_include_those_of_the_distillation_study(study, copy):
    plain = make_study(copy, None)
    assert plain.measures == ("nDCG@10", "MRR@10", "Recall@100")
    assert study.measures == ("nDCG@10", "MRR@10", "Recall@100", "nDCG@1")


def test_ablation_pattern_matches_exactly_the_ablations(study, copy):
    assert re.fullmatch(study.ablation_pattern, "rankings")
    assert not re.fullmatch(study.ablation_pattern, "ranking")
    plain = make_study(copy, None)
    assert not re.search(plain.ablation_pattern, "rankings")
    assert not re.fullmatch(plain.ablation_pattern, "")


@pytest.mark.parametrize(
    "inputs_of",
    [
        lambda rules: rules("make_twolar_table.metrics"),
        lambda rules: rules.inputs.tables.twolar_measures,
        lambda rules: rules("make_twolar_table.rankers"),
        lambda rules: rules("make_twolar_table.published"),
        lambda rules: rules("make_ranking_table.counts"),
    ],
)
def test_without_a_distillation_study_only_its_tables_are_refused(copy, inputs_of):
    plain = RuleInputs(make_study(copy, None))
    assert plain("make_tables.metrics")(ANY)
    with pytest.raises(ConfigError, match=r"^experiment: no section 'twolar', so results/tables/twolar\.csv, "):
        inputs_of(plain)(ANY)


def test_a_repeated_published_score_is_refused(copy):
    path = copy / "published/little.yaml"
    path.write_text(
        path.read_text() + "  - {method: A, source: there, values: {fern: {AP: 0.1}, lxml: {nDCG@10: 0.6}}}\n"
    )
    with pytest.raises(ConfigError) as error:
        make_study(copy)
    assert str(error.value) == (
        f"{copy}/published/little.yaml: results: A, bm25, lxml, nDCG@10 occurs 2 times; keep one source"
    )


def test_a_published_test_set_is_a_test_set_or_in_elsewhere(copy):
    path = copy / "published/little.yaml"
    text = path.read_text()
    for before, after, message in (
        ("lxml", "lmxl", "results.values: no test set named 'lmxl' in "),
        ("results", "elsewhere: [lxml]\nresults", "elsewhere: 'lxml' is in config/testsets; remove it"),
        ("results", "elsewhere: [moon]\nresults", "elsewhere: 'moon' is in no result; remove it"),
    ):
        path.write_text(text.replace(before, after))
        with pytest.raises(ConfigError, match=rf"^{copy}/published/little\.yaml: {re.escape(message)}"):
            make_study(copy)
    path.write_text("elsewhere: [lmxl]\n" + text.replace("lxml", "lmxl"))
    make_study(copy)


def test_published_results_of_twolar_cover_the_suite_beir_rankgpt(study):
    figures = {name for item in study.entities["published"]["twolar"].results for name in item.values}
    assert figures >= {*study.entities["suites"]["beir-rankgpt"].testsets}


def test_a_published_score_above_one_is_refused(copy):
    path = copy / "published/little.yaml"
    path.write_text(path.read_text().replace("0.5", "50.58"))
    with pytest.raises(ConfigError, match=r"results\.0\.values\.lxml\.nDCG@10 must be at most 1; got 50\.58"):
        make_study(copy)


def test_a_first_stage_with_the_name_of_a_ranker_is_refused(copy):
    (copy / "retrievers/pupil.yaml").write_text("kind: bm25\n")
    with pytest.raises(ConfigError, match=r"^experiment: twolar\.first_stages: 'pupil' is also the name of a ranker"):
        make_study(copy, {"rankers": ["pupil"], "first_stages": ["bm25", "pupil"]})
    (copy / "retrievers/bi-encoder.yaml").write_text("kind: bm25\n")
    with pytest.raises(ConfigError, match=r"^experiment: first_stages: 'bi-encoder' is also the name of a ranker"):
        make_study(copy, rankers=["bi-encoder"], first_stages=["bi-encoder"])


def test_recipes_of_orders_without_llms_are_refused(copy):
    with pytest.raises(ConfigError, match=r"^experiment: twolar\.llms: is empty, but a recipe needs a language model"):
        make_study(copy, {"llms": []})


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"recipes": ["orders"]}, "twolar.recipes: no recipe named 'orders'"),
     ({"ablations": {"a": {"recipes": ["human"], "rankers": ["pupils"]}}}, "twolar.ablations.a.rankers: no ranker "
      "named 'pupils'"),
     ({"published": "much"}, "twolar.published: no file of results named 'much'")],
)  # fmt: skip
def test_an_unknown_name_in_the_study_is_refused(copy, changed, message):
    with pytest.raises(ConfigError, match=rf"^experiment: {re.escape(message)} in "):
        make_study(copy, changed)
