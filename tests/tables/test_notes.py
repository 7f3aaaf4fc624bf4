"""What stands around a table for reading: answers that were trained on, and settings that were chosen."""

import json

import pytest

from synthrank.development import answerable_testsets, selections
from synthrank.needs import Needs
from synthrank.specs.base import read_yaml
from synthrank.study import Study
from synthrank.tables.notes import with_notes

TABLE = "# Title\n\nWords.\n\n| a |\n|---|\n"


@pytest.fixture
def counted(tmp_path):
    """Return a function that writes what step count_answers counts, and its path."""

    def do(recipe, llm, passages, place="", queries=None, **testsets):
        path = tmp_path / "results/validity/trainsets" / recipe / llm / place / "answers.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"passages": passages, "testsets": testsets, "queries": queries or {}}))
        return path

    return do


def test_test_queries_that_are_trained_on_are_said_above_the_table(counted):
    files = [counted("human", "none", 9, queries={"gardens": 2, "kitchens": 0}), counted("zero", "echo", 9)]
    text = " ".join(with_notes(TABLE, files, []).split())
    assert text.startswith(
        "# Title **Test queries are trained on in the same words**, under another id: 2 of test set `gardens` by "
        "recipe `human`. Words."
    )


def test_the_overlap_is_said_above_the_table_with_its_numbers(counted):
    files = [counted("human", "none", 1000, gardens=962, kitchens=0), counted("zero", "echo", 900, gardens=3)]
    text = with_notes(TABLE, files, [])
    head, first, *rest = text.replace("\n", " ").split("  ")
    assert head == "# Title"
    assert first.startswith("**Rankers were trained on passages that answer test queries.**")
    assert "962 of 1,000 of recipe `human` (test set `gardens`); 3 of 900 of recipe `zero` by echo" in first
    assert "kitchens" not in text
    assert text.endswith(TABLE.removeprefix("# Title\n\n"))
    assert rest[0].startswith("Words.")


def test_no_overlap_prints_nothing(counted):
    assert with_notes(TABLE, [counted("human", "none", 1000, gardens=0)], []) == TABLE
    assert with_notes(TABLE, [], []) == TABLE


def test_draws_that_differ_are_a_span(counted):
    files = [counted("human", "none", 100 + draw, f"draw-{draw}", gardens=90 - draw) for draw in (1, 2, 3)]
    assert "87 to 89 of 101 to 103 of recipe `human`" in with_notes(TABLE, files, []).replace("\n", " ")


def test_chosen_settings_are_said_below(counted):
    text = with_notes(TABLE, [], ["Settings of `r` were chosen on `dev`."])
    assert text == TABLE + "\nSettings of `r` were chosen on `dev`.\n"


@pytest.fixture
def study(config):
    return Study(config, read_yaml(config / "experiments/nfcorpus-selected.yaml"))


def test_the_sentence_on_a_selection_has_split_grid_and_budget(study):
    said = dict(zip(study.experiment.rankers, selections(study, study.experiment.rankers), strict=True))
    sentence = said["nfcorpus-static-selected"]
    assert "chosen on the development split, `dev` of `nfcorpus-shared`, which is no test set" in sentence
    grid = "learning rate among 0.01, 0.03, 0.1, and updates among 20, 40, 80, 160"
    assert f"{grid}, by nDCG@10 over all queries" in sentence
    assert "has this budget of 3 trainings" in sentence
    assert selections(study, ["nfcorpus-static"]) == []
    assert Needs(study).selected == list(said.values())


def test_what_may_hold_test_answers_is_counted(config):
    """A corpus whose answers may train, and one that another corpus reads too; else there is nothing to count."""
    study = Study(config, read_yaml(config / "experiments/nfcorpus-cross-encoder.yaml"))
    assert answerable_testsets(study, "nfcorpus-shared-human") == ["nfcorpus-shared"]
    files = Needs(study).answers
    assert {path.split("/")[3] for path in files} == {"nfcorpus-shared-human", "nfcorpus-shared-llama2"}
    plain = {**read_yaml(config / "experiments/nfcorpus.yaml"), "suites": ["medicine", "nfcorpus-study"]}
    plain["suites"] = ["medicine"]
    assert Needs(Study(config, plain)).answers == []
    assert answerable_testsets(Study(config, plain), "nfcorpus-shared-human") == ["nfcorpus"]
