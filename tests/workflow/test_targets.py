"""Targets that the experiment cannot make are refused with one line."""

import re

import pytest

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.errors import ConfigError
from synthrank.workflow.targets import SECTIONS, check_targets


def check(config, experiment, *targets):
    check_targets(Study(config, read_yaml(config / experiment)), ["--cores", "2", "--", *targets])


@pytest.mark.parametrize(
    ("experiment", "target", "message"),
    [
        ("config.yaml", "study/tables/ood.csv",
         "--configfile {}/study.yaml makes it; this one makes results/tables/ood.csv"),
        ("config.yaml", "leak-free/report.html",
         "--configfile {}/experiments/leak-free.yaml makes it; this one makes results/report.html"),
        ("study.yaml", "figures/sizes.svg",
         "--configfile {}/config.yaml makes it; this one makes results/study/figures/sizes.svg"),
        ("study.yaml", "studi/tables/id.csv",
         "no experiment under {}/ has this name; this one makes results/study/tables/id.csv"),
    ],
)  # fmt: skip
def test_check_targets_of_another_experiment_names_its_file(config, experiment, target, message):
    with pytest.raises(ConfigError, match=f"^results/{target}: {re.escape(message.format(config))}$"):
        check(config, experiment, "make_tables", f"results/{target}")


def test_check_targets_accepts_own_and_shared_targets(config):
    shared = ("make_report", "results/models/tables", "results/runs/corpora/cython/bm25/test.trec")
    check(config, "config.yaml", "results/tables/id.csv", "results/report.html", "results/tables/cost.csv", *shared)
    check(config, "study.yaml", "results/study/tables/id.csv", "results/study/figures/sizes.svg", *shared)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("results/tables/odd.csv", "no table 'odd'; tables of this experiment: id, ood, cost, replies"),
        ("results/tables/claims.csv",
         "the experiment has no 'claims' section, so claims.csv cannot be built; see docs/passage-study.md"),
        ("results/tables/ablation-loss.md", "the experiment has no 'twolar' section, so ablation-loss.csv cannot"),
        ("results/trainsets/zero-shot/none/draw-0/groups.jsonl",
         "recipe zero-shot needs an LLM; use …/zero-shot/smollm2-135m/…"),
        ("results/checkpoints/human/smollm2-135m/static/seed-1",
         "recipe human uses no LLM; use …/human/none/…"),
    ],
)  # fmt: skip
def test_check_targets_refuses_targets_without_their_section_or_llm(config, target, message):
    stated = read_yaml(config / "config.yaml")
    study = Study(config, {key: value for key, value in stated.items() if key not in SECTIONS.values()})
    with pytest.raises(ConfigError) as caught:
        check_targets(study, ["--", target])
    assert str(caught.value).startswith(f"{target}: {message}")


def test_check_targets_accepts_a_recipe_with_its_llm(config):
    check(
        config, "config.yaml", "results/trainsets/zero-shot/smollm2-135m/draw-0/groups.jsonl",
        "results/metrics/testsets/lxml/human/none/static/seed-1.csv",
        "results/metrics/testsets/lxml/none/none/static/seed-1.csv",
    )  # fmt: skip
