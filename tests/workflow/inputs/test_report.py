"""Inputs of the report, for the sections of the experiment."""

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.steps.report.sections import LEADS, SECTIONS, tables_of
from synthrank.workflow.inputs.figures import FIGURES

JOB = object()


@pytest.fixture
def of(config):
    """Return a function that builds the inputs for the default experiment without some keys."""

    def without(*keys, **other):
        experiment = read_yaml(config / "config.yaml")
        return RuleInputs(Study(config, {key: value for key, value in experiment.items() if key not in keys} | other))

    return without


def stems(paths):
    return [path.rsplit("/", 1)[1].partition(".")[0] for path in paths]


def test_report_of_the_default_experiment_has_all_tables_and_figures(of):
    rules = of()
    tables = stems(rules("make_report.tables")(JOB))
    assert tables[:5] == ["id", "ood", "claims", "enrichment", "sizes"]
    assert {"twolar", "ablation-loss", "ablation-depth", "rankings", "cost", "replies", "validity", "leaks"} <= {
        *tables
    }
    assert "bias" not in tables
    assert {*stems(rules("make_report.markdown")(JOB))} == {*tables} - {*LEADS}
    assert {*stems(rules("make_report.figures")(JOB))} == {*FIGURES}


def test_report_without_sections_has_no_inputs_for_them(of):
    rules = of("claims", "enrichment", "sizes", "validity", "twolar", recipes=["human"], llms=[])
    assert stems(rules("make_report.tables")(JOB)) == ["id", "ood"]
    assert stems(rules("make_report.figures")(JOB)) == ["effectiveness", "differences"]
    assert rules("make_report.replies")(JOB) == []
    assert [rules(f"make_report.{name}")(JOB) for name in ("orders", "asks")] == [[], []]
    assert rules("make_report.written")(JOB) == ["results/passages/python-headings/human/draw-0/none/passages.jsonl"]


def test_report_without_a_recipe_of_human_passages_has_no_figure_of_differences(of):
    rules = of("claims", "enrichment", "sizes", "validity", "twolar", recipes=["zero-shot"])
    assert "differences" not in stems(rules("make_report.figures")(JOB))


def test_report_of_generated_queries_has_tables_of_cost_and_replies(of):
    rules = of("claims", "enrichment", "sizes", "validity", "twolar", recipes=["human", "inpars"], llms=[])
    assert stems(rules("make_report.tables")(JOB)) == ["id", "ood", "cost", "replies"]
    assert stems(rules("make_report.figures")(JOB)) == ["effectiveness", "differences"], (
        "the cost figure is only for passages"
    )


def test_sections_contain_every_table_and_figure_once(of):
    rules = of(bias={"suites": ["nfcorpus-mixed"]})
    tables, figures = stems(rules("make_report.tables")(JOB)), stems(rules("make_report.figures")(JOB))
    assert sorted(name for section in SECTIONS for name in tables_of(section, tables)) == sorted(tables)
    assert sorted(name for section in SECTIONS for name in section.figures) == sorted(figures)


def test_parallel_inputs_have_equal_lengths(of):
    rules = of()
    assert [len(rules(f"make_report.{name}")(JOB)) for name in ("replies", "dropped")] == [1, 1]
    assert [len(rules(f"make_report.{name}")(JOB)) for name in ("queries", "qrels")] == [5, 5]
    assert len(rules("make_report.testsets")(JOB)) == 5
    ranked = len(rules("make_report.candidates")(JOB))
    assert ranked > 0
    assert [len(rules(f"make_report.{name}")(JOB)) for name in ("orders", "asks")] == [ranked, ranked]
    assert len(rules("make_report.first_runs")(JOB)) == 5
    assert len(rules("make_report.runs")(JOB)) == len({*rules("make_report.runs")(JOB)}) == (1 + 2) * 2 * 5


def test_report_shows_every_used_file_of_the_configuration(of, config):
    specs = of()("make_report.specs")(JOB)
    assert len(specs) == len({*specs})
    names = {path.removeprefix(f"{config}/") for path in specs}
    assert {"recipes/human.yaml", "llms/smollm2-135m.yaml", "models/smollm2-135m.yaml", "corpora/lxml-headings.yaml",
            "prompts/passage-zero-shot.md", "paradigms/zero-shot.yaml"} <= names  # fmt: skip
    assert not {name for name in names if "@" in name or "nfcorpus" in name}
