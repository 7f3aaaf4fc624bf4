"""What the page of an experiment is made of: what the experiment states."""

import pytest

from synthrank.needs import Needs
from synthrank.report.sections import LEADS, SECTIONS, tables_of
from synthrank.specs.base import read_yaml
from synthrank.study import Study

JOB = object()


@pytest.fixture
def of(config):
    """Return the needs of the default experiment without some of its keys."""

    def without(*keys, **other):
        experiment = read_yaml(config / "config.yaml")
        return Needs(Study(config, {key: value for key, value in experiment.items() if key not in keys} | other))

    return without


def stems(paths):
    return [path.rsplit("/", 1)[1].partition(".")[0] for path in paths]


def test_the_default_experiment_shows_all_it_has(of):
    needs = of()
    tables = stems(needs.report_tables(JOB))
    assert tables[:5] == ["id", "ood", "claims", "enrichment", "sizes"]
    assert {"twolar", "ablation-loss", "ablation-depth", "rankings", "cost", "replies", "validity", "leaks"} <= {
        *tables
    }
    assert "bias" not in tables
    assert {*stems(needs.report_twins(JOB))} == {*tables} - {*LEADS}
    assert {*stems(needs.report_figures(JOB))} == {*needs.figures}


def test_what_is_not_stated_is_not_asked_for(of):
    needs = of("claims", "enrichment", "sizes", "validity", "twolar", recipes=["human"], llms=[])
    assert stems(needs.report_tables(JOB)) == ["id", "ood"]
    assert stems(needs.report_figures(JOB)) == ["effectiveness", "differences"]
    assert needs.report_replies("replies.jsonl")(JOB) == []
    assert [needs.report_orders(f"{name}.jsonl")(JOB) for name in ("orders", "asks")] == [[], []]
    assert needs.report_passages(JOB) == ["results/passages/python-headings/human/draw-0/none/passages.jsonl"]


def test_every_table_and_figure_has_a_place_on_the_page(of):
    needs = of(bias={"suites": ["nfcorpus-mixed"]})
    tables, figures = stems(needs.report_tables(JOB)), stems(needs.report_figures(JOB))
    assert sorted(name for section in SECTIONS for name in tables_of(section, tables)) == sorted(tables)
    assert sorted(name for section in SECTIONS for name in section.figures) == sorted(figures)


def test_what_belongs_together_has_one_length(of):
    needs = of()
    assert [len(needs.report_replies(f"{name}.jsonl")(JOB)) for name in ("replies", "dropped")] == [1, 1]
    assert [len(needs.report_split(name)(JOB)) for name in ("queries.jsonl", "qrels.txt")] == [5, 5]
    assert len(needs.report_testsets(JOB)) == 5
    ranked = len(needs.report_candidates(JOB))
    assert ranked > 0
    assert [len(needs.report_orders(f"{name}.jsonl")(JOB)) for name in ("orders", "asks")] == [ranked, ranked]
    assert len(needs.report_first_runs(JOB)) == 5
    assert len(needs.report_runs(JOB)) == len({*needs.report_runs(JOB)}) == (1 + 2) * 2


def test_every_file_of_the_configuration_that_is_used_is_shown(of, config):
    specs = of().report_specs(JOB)
    assert len(specs) == len({*specs})
    names = {path.removeprefix(f"{config}/") for path in specs}
    assert {"recipes/human.yaml", "llms/smollm2-135m.yaml", "models/smollm2-135m.yaml", "corpora/lxml-headings.yaml",
            "prompts/passage-zero-shot.md", "paradigms/zero-shot.yaml"} <= names  # fmt: skip
    assert not {name for name in names if "@" in name or "nfcorpus" in name}
