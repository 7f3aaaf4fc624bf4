"""Which files the stage reads, for the toy's configuration, and what does not fit together."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from synthrank.errors import ConfigError
from synthrank.needs import Needs
from synthrank.specs.base import read_yaml
from synthrank.study import Study

ROOT = Path(__file__).resolve().parents[2]
TOY = ROOT / "tests/toy/config"
VALIDITY = {"retriever": "tiny-dense", "leaks": {"cosine": 0.9, "retriever": "tiny-dense"}}


def dense(folder):
    (folder / "retrievers/tiny-dense.yaml").write_text("kind: dense\nmodel: tiny-encoder\n")


@pytest.fixture
def config(tmp_path):
    folder = tmp_path / "config"
    shutil.copytree(TOY, folder)
    for kind in ("prompts", "paradigms"):
        shutil.copytree(ROOT / "config" / kind, folder / kind, dirs_exist_ok=True)
    dense(folder)
    return folder


@pytest.fixture
def needs(config):
    """Return a function that makes the needs of the toy with a section on validity."""

    def make(**changed):
        experiment = read_yaml(config / "config.yaml") | {"validity": VALIDITY} | changed
        return Needs(Study(config, {name: value for name, value in experiment.items() if value is not None}))

    return make


def at(**names):
    return SimpleNamespace(**names)


def test_what_is_measured(needs):
    found = needs()
    assert found.measured(at(data="trainsets/human/none/draw-1")) == "results/trainsets/human/none/draw-1/groups.jsonl"
    written = "passages/gardens/zero-shot/draw-0/echo"
    assert found.measured(at(data=written)) == f"results/{written}/passages.jsonl"
    assert found.measuring_retriever(at()).endswith("config/retrievers/tiny-dense.yaml")
    assert found.measuring_model(at()) == "results/models/tiny-encoder"


def test_leaks_are_looked_for_in_every_test_set_once(needs):
    found = needs()
    names = found.leak_testsets(at())
    specs = [found.study.entities["testsets"][name] for name in names]
    assert names == list(found.study.testsets_of("toy"))
    assert found.leak_files("queries.jsonl")(at()) == [
        f"results/corpora/{spec.corpus}/{spec.split}/queries.jsonl" for spec in specs
    ]
    assert found.leak_files("qrels.txt")(at()) == [
        f"results/corpora/{spec.corpus}/{spec.split}/qrels.txt" for spec in specs
    ]
    assert found.leak_files("passages.jsonl")(at()) == [
        f"results/corpora/{spec.corpus}/passages.jsonl" for spec in specs
    ]
    assert found.leak_model(at()) == ["results/models/tiny-encoder"]
    assert needs(suites=["toy", "toy"]).leak_testsets(at()) == names


def test_a_model_is_read_only_where_near_duplicates_are_looked_for(needs):
    found = needs(validity={"retriever": "tiny-dense"})
    assert found.leak_model(at()) == found.leak_retriever(at()) == []


def test_exemplars_of_what_was_written_with_some(needs):
    found = needs()
    shown = "results/passages/gardens/few-shot-supervised/draw-1/exemplars.jsonl"
    assert found.leak_exemplars(at(data="passages/gardens/few-shot-supervised/draw-1/echo")) == [shown]
    assert found.leak_exemplars(at(data="passages/gardens/zero-shot/draw-0/echo")) == []
    assert found.leak_exemplars(at(data="trainsets/human/none/draw-1")) == []
    enriched = found.study.entities["recipes"]["enriched"]
    expected = [
        f"results/passages/{enriched.corpus}/{name}/draw-1/exemplars.jsonl"
        for name in enriched.paradigms
        if name.startswith("few-shot")
    ]
    assert found.leak_exemplars(at(data="trainsets/enriched/echo/draw-1")) == expected


def test_human_training_sets_come_first_in_the_table(needs):
    found = needs(recipes=["enriched", "human"])
    assert found.validity_files("statistics.json")(at()) == [
        "results/validity/trainsets/human/none/draw-1/statistics.json",
        "results/validity/trainsets/enriched/echo/draw-1/statistics.json",
    ]
    assert (
        found.validity_files("controls.json")(at())[1]
        == "results/validity/trainsets/enriched/echo/draw-1/controls.json"
    )
    assert found.validity_files("leaks.json")(at())[1] == "results/validity/trainsets/enriched/echo/draw-1/leaks.json"


def test_lengths_are_matched_with_the_human_training_set_of_the_same_draw(needs):
    found = needs(recipes=["enriched", "human"], vary=["queries"])
    human = "results/trainsets/human/none/draw-2/groups.jsonl"
    assert found.measured_reference(at(data="trainsets/enriched/echo/draw-2")) == [human]
    assert found.measured_reference(at(data="trainsets/human/none/draw-2")) == []
    assert found.measured_reference(at(data="passages/gardens/zero-shot/draw-0/echo")) == []
    other = found.study.entities["recipes"]["enriched"].model_copy(update={"corpus": "other"})
    found.study.entities["recipes"]["enriched"] = other
    assert found.measured_reference(at(data="trainsets/enriched/echo/draw-2")) == []


def test_an_experiment_that_measures_nothing_is_refused_in_one_line(needs):
    found = needs(validity=None)
    for ask in (found.validity, found.validity_files("leaks.json"), found.measuring_model, found.leak_tests):
        with pytest.raises(ConfigError, match=r"^experiment: validity: is missing; .* need it$"):
            ask(at())


def test_what_a_recipe_drops(needs, config):
    path = config / "recipes/human.yaml"
    found = needs()
    human = at(recipe="human")
    assert found.dropped_files("queries.jsonl")(human) == found.dropped_model(human) == []
    assert found.dropped_retriever(human) == []
    assert found.dropped_files("qrels.txt")(human) == found.dropped_files("passages.jsonl")(human) == []
    name = found.leak_testsets(at())[0]
    path.write_text(path.read_text() + f"drop_leaks: {{testsets: [{name}], cosine: 0.9, retriever: tiny-dense}}\n")
    found = needs()
    spec = found.study.entities["testsets"][name]
    assert found.dropped_files("queries.jsonl")(human) == [f"results/corpora/{spec.corpus}/{spec.split}/queries.jsonl"]
    assert found.dropped_files("qrels.txt")(human) == [f"results/corpora/{spec.corpus}/{spec.split}/qrels.txt"]
    assert found.dropped_files("passages.jsonl")(human) == [f"results/corpora/{spec.corpus}/passages.jsonl"]
    assert found.dropped_model(human) == ["results/models/tiny-encoder"]


def test_what_scores_positives_and_candidates(needs, config):
    path = config / "recipes/human.yaml"
    found, human = needs(), at(recipe="human")
    assert found.guard_retriever(human) == found.guard_model(human) == []
    assert found.pair_gpus(human) == 0
    guard = "count: 3, guard: {max_share_of_positive: 0.95, scored_by: tiny-dense}"
    path.write_text(path.read_text().replace("count: 3", guard))
    found = needs()
    assert found.guard_retriever(human) == [str(config / "retrievers/tiny-dense.yaml")]
    assert found.guard_model(human) == ["results/models/tiny-encoder"]
    assert found.pair_gpus(human) == 1


def test_what_teaches(needs, config):
    path, human = config / "recipes/human.yaml", at(recipe="human")
    found = needs()
    assert found.pair_teacher(human) == found.pair_teacher_model(human) == []
    assert found.pair_gpus(human) == 0
    path.write_text(path.read_text() + "teacher: t5\n")
    found = needs()
    assert found.pair_teacher(human) == [str(config / "rankers/t5.yaml")]
    assert found.pair_teacher_model(human) == ["results/models/tiny-t5"]
    assert found.pair_gpus(human) == 1


@pytest.mark.parametrize(
    ("validity", "message"),
    [
        ({"retriever": "bm25"}, r"^experiment: validity\.retriever: got 'bm25'; it must be dense$"),
        (
            {"retriever": "tiny-dense", "leaks": {"cosine": 0.9, "retriever": "bm25"}},
            r"^experiment: validity\.leaks\.retriever: got 'bm25'; it must be dense$",
        ),
        ({"retriever": "tiny-dense", "leaks": {"cosine": 0.9}}, "state cosine and retriever together"),
        ({"retriever": "none-such"}, "none-such"),
    ],
)
def test_what_does_not_fit_is_one_line(needs, validity, message):
    with pytest.raises(ConfigError, match=message) as error:
        needs(validity=validity)
    assert "\n" not in str(error.value)


def test_a_recipe_drops_near_duplicates_by_one_dense_model(needs, config):
    (config / "retrievers/two.yaml").write_text("kind: dense\nmodel: tiny-encoder\nquery_model: tiny-encoder\n")
    path = config / "recipes/human.yaml"
    name = needs().leak_testsets(at())[0]
    path.write_text(path.read_text() + f"drop_leaks: {{testsets: [{name}], cosine: 0.9, retriever: two}}\n")
    with pytest.raises(ConfigError, match=r"human\.yaml: drop_leaks\.retriever: got 'two'; it has a query_model"):
        needs()
