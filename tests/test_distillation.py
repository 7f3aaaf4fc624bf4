"""The distillation study: what it consists of, which files its tables are made from, and what cannot be one."""

import re
from types import SimpleNamespace

import pytest
from distillation_study import make_config, make_study

from synthrank.distillation import Ranked, first_stages, made, rankings, recipes_of, written_queries
from synthrank.errors import ConfigError
from synthrank.needs import Needs

TESTSETS = ["python-faq", "sqlalchemy", "celery", "lxml", "cython"]
ANY = SimpleNamespace()


@pytest.fixture
def copy(tmp_path, config):
    return make_config(tmp_path, config)


@pytest.fixture
def study(copy):
    return make_study(copy)


def test_recipes_are_those_of_the_ablations_too(study):
    assert recipes_of(study) == ["order-blend", "order-train", "human", "zero-shot", "order-choices"]


def test_what_no_language_model_made_is_made_once(study):
    llms = ["a", "b"]
    assert made(study, ["human", "order-blend", "warm-up"], llms) == [
        ("human", "none"), ("order-blend", "a"), ("order-blend", "b"), ("warm-up", "none")
    ]  # fmt: skip


def test_rankings_of_recipes_and_of_first_stages_each_once(study):
    blend = [Ranked("python-faq", "blend", "two", "windows", llm) for llm in ("gpt-4.1-mini", "echo")]
    train = [Ranked("python-faq", "train", "two", "windows", llm) for llm in ("gpt-4.1-mini", "echo")]
    ablated = [Ranked("python-faq", "blend", "two", "choices", llm) for llm in ("gpt-4.1-mini", "echo")]
    tests = [Ranked(name, "test", "two", "choices", "echo") for name in TESTSETS]
    assert rankings(study) == [*blend, *train, *ablated, *tests]


def test_queries_by_a_language_model_inside_a_mixture(study):
    assert written_queries(study) == [("python-faq", "asked")]


def test_the_first_stages_of_a_test_set(study):
    assert first_stages(study, "celery") == ["as-ordered", "bm25"]
    assert first_stages(study, "lxml") == ["as-ordered", "minilm"], "the test set names the run to be reordered"


def test_what_the_table_is_made_from(study, copy):
    needs = Needs(study)
    metrics = needs.twolar_metrics(ANY)
    first = [f"results/metrics/testsets/{name}/{retriever}.csv" for name in TESTSETS
             for retriever in ("as-ordered", "minilm" if name == "lxml" else "bm25")]  # fmt: skip
    systems = ["none/none", "order-blend/gpt-4.1-mini", "order-blend/echo", "order-train/gpt-4.1-mini",
               "order-train/echo", "human/none", "zero-shot/gpt-4.1-mini", "zero-shot/echo"]  # fmt: skip
    students = [f"results/metrics/suites/faq/{system}/{ranker}/seed-{seed}.csv"
                for system in systems for ranker in ("pupil-again", "bi-encoder") for seed in (1, 2, 3)
                if (system, ranker) != ("none/none", "bi-encoder") or seed == 1]  # fmt: skip
    assert metrics == first + students, "no seed moves an untrained bi-encoder"
    assert needs.twolar_measures(ANY) == ["nDCG@1", "nDCG@10"]
    assert needs.twolar_rankers(ANY) == [f"{copy}/rankers/{name}.yaml" for name in
                                         ("pupil-again", "bi-encoder", "pupil")]  # fmt: skip
    assert needs.twolar_retrievers(ANY) == [f"{copy}/retrievers/{name}.yaml" for name in
                                            ("as-ordered", "bm25", "minilm")]  # fmt: skip
    assert needs.twolar_published(ANY) == [f"{copy}/published/little.yaml"]
    assert Needs(make_study(copy, {"published": None})).twolar_published(ANY) == []


def test_a_study_has_test_sets_and_released_rankers_of_its_own(copy):
    suites = ["medicine", "dl19-pool"]
    study = make_study(copy, {"suites": suites, "untrained": ["pupil"]}, seeds=[3, 4])
    needs = Needs(study)
    names = ["nfcorpus", "cacm", "dl19-pool"]
    assert needs.twolar_testsets(ANY) == [f"{copy}/testsets/{name}.yaml" for name in names]
    metrics = needs.twolar_metrics(ANY)
    assert {path.split("/")[3] for path in metrics if path.startswith("results/metrics/testsets")} == {*names}
    assert {path.split("/")[3] for path in metrics if path.startswith("results/metrics/suites")} == {*suites}
    assert [path for path in metrics if "/pupil/" in path] == [
        f"results/metrics/suites/{suite}/none/none/pupil/seed-3.csv" for suite in suites
    ]
    assert f"{copy}/rankers/pupil.yaml" in needs.twolar_rankers(ANY)
    assert {path.split("/")[3] for path in needs.ablation_metrics(SimpleNamespace(ablation="rankings"))} == {*suites}
    assert {path.split("/")[3] for path in needs.metrics if "suites" in path} == {"headings"}, (
        "other tables keep theirs"
    )
    with pytest.raises(
        ConfigError, match=r"^experiment: twolar\.untrained: 'bi-encoder' is among twolar\.rankers, which"
    ):
        make_study(copy, {"untrained": ["bi-encoder"]})
    (copy / "suites/again.yaml").write_text("testsets: [nfcorpus]\n")
    with pytest.raises(ConfigError, match=r"^experiment: twolar\.suites: test set 'nfcorpus' is in 'medicine' and in"):
        make_study(copy, {"suites": ["medicine", "again"]})


def test_what_an_ablation_is_made_from(study):
    wildcards = SimpleNamespace(ablation="rankings")
    needs = Needs(study)
    assert needs.ablation(wildcards).recipes == ("order-blend", "order-choices")
    assert needs.ablation_metrics(wildcards) == [
        f"results/metrics/suites/faq/{recipe}/{llm}/pupil/seed-{seed}.csv"
        for recipe in ("order-blend", "order-choices") for llm in ("gpt-4.1-mini", "echo") for seed in (1, 2, 3)
    ]  # fmt: skip


def test_what_the_table_of_rankings_is_made_from(study):
    needs = Needs(study)
    counts, pools = needs.ranking_counts(ANY), needs.ranking_pools(ANY)
    assert len(counts) == len(pools) == 6 + len(TESTSETS)
    assert counts[0] == "results/rankings/python-faq/blend/two/windows/gpt-4.1-mini/counts.json"
    assert pools[0] == "results/rankings/python-faq/blend/two/stats.json"
    assert counts[-1] == "results/rankings/cython/test/two/choices/echo/counts.json"
    assert all(count.startswith(pool.removesuffix("stats.json")) for count, pool in zip(counts, pools, strict=True))


def test_other_tables_are_made_from_what_they_were(study, copy):
    plain = make_study(copy, None)
    assert Needs(study).metrics == Needs(plain).metrics
    assert Needs(study).all_replies == Needs(plain).all_replies


def test_everything_is_measured_that_any_table_shows(study, copy):
    plain = make_study(copy, None)
    assert plain.measures == ("nDCG@10", "MRR@10", "Recall@100")
    assert study.measures == ("nDCG@10", "MRR@10", "Recall@100", "nDCG@1")


def test_the_names_of_ablations(study, copy):
    assert re.fullmatch(study.ablation_pattern, "rankings")
    assert not re.fullmatch(study.ablation_pattern, "ranking")
    plain = make_study(copy, None)
    assert not re.search(plain.ablation_pattern, "rankings")
    assert not re.fullmatch(plain.ablation_pattern, "")


@pytest.mark.parametrize(
    "ask", ["twolar_metrics", "twolar_measures", "twolar_rankers", "twolar_published", "ranking_counts"]
)
def test_without_a_study_only_its_tables_are_refused(copy, ask):
    plain = Needs(make_study(copy, None))
    assert plain.metrics
    with pytest.raises(ConfigError, match=r"^experiment: twolar: is missing; results/tables/twolar\.csv, .* need it$"):
        getattr(plain, ask)(ANY)


def test_a_figure_stated_twice_is_one_line(copy):
    path = copy / "published/little.yaml"
    path.write_text(
        path.read_text() + "  - {method: A, source: there, values: {fern: {AP: 0.1}, lxml: {nDCG@10: 0.6}}}\n"
    )
    with pytest.raises(ConfigError) as error:
        make_study(copy)
    assert str(error.value) == (
        f"{copy}/published/little.yaml: results: A, bm25, lxml, nDCG@10 is stated 2 times; keep one source"
    )


def test_a_figure_stands_on_a_test_set_or_is_said_to_be_of_none(copy):
    path = copy / "published/little.yaml"
    text = path.read_text()
    for before, after, said in (
        ("lxml", "lmxl", "results.values: got 'lmxl'; no such test set, so that the figure would stand beside nothing"),
        ("results", "elsewhere: [lxml]\nresults", "elsewhere: got 'lxml'; it is a test set here, leave it out"),
        ("results", "elsewhere: [moon]\nresults", "elsewhere: got 'moon'; no result is of it, leave it out"),
    ):
        path.write_text(text.replace(before, after))
        with pytest.raises(ConfigError, match=rf"^{copy}/published/little\.yaml: {re.escape(said)}"):
            make_study(copy)
    path.write_text("elsewhere: [lmxl]\n" + text.replace("lxml", "lmxl"))
    make_study(copy)


def test_published_figures_of_twolar_meet_the_eight_collections(study):
    figures = {name for item in study.entities["published"]["twolar"].results for name in item.values}
    assert figures >= {*study.entities["suites"]["beir-rankgpt"].testsets}


def test_a_figure_is_a_fraction_of_one(copy):
    path = copy / "published/little.yaml"
    path.write_text(path.read_text().replace("0.5", "50.58"))
    with pytest.raises(ConfigError, match=r"results\.0\.values\.lxml\.nDCG@10: got 50\.58; .* equal to 1"):
        make_study(copy)


def test_a_ranker_and_a_first_stage_of_one_name_are_refused(copy):
    (copy / "retrievers/pupil.yaml").write_text("kind: bm25\n")
    with pytest.raises(ConfigError, match=r"^experiment: twolar\.first_stages: 'pupil' is a ranker too"):
        make_study(copy, {"rankers": ["pupil"], "first_stages": ["bm25", "pupil"]})
    (copy / "retrievers/bi-encoder.yaml").write_text("kind: bm25\n")
    with pytest.raises(ConfigError, match=r"^experiment: first_stages: 'bi-encoder' is a ranker too"):
        make_study(copy, rankers=["bi-encoder"], first_stages=["bi-encoder"])


def test_orders_need_a_teacher(copy):
    with pytest.raises(ConfigError, match=r"^experiment: twolar\.llms: is empty, but a recipe needs a language model"):
        make_study(copy, {"llms": []})


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"recipes": ["orders"]}, "twolar.recipes: got 'orders'"),
     ({"ablations": {"a": {"recipes": ["human"], "rankers": ["pupils"]}}}, "twolar.ablations.a.rankers: got 'pupils'"),
     ({"published": "much"}, "twolar.published: got 'much'")],
)  # fmt: skip
def test_a_name_of_the_study_that_points_nowhere_is_one_line(copy, changed, said):
    with pytest.raises(ConfigError, match=rf"^experiment: {re.escape(said)}; no such file in .*known: "):
        make_study(copy, changed)
