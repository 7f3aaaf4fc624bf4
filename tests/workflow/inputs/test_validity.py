"""Inputs of the stage validity, for the configuration of the toy, and refused combinations."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
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
def rules(config):
    """Return a function that builds the inputs of the rules for the toy with the section validity."""

    def make(**changed):
        experiment = read_yaml(config / "config.yaml") | {"validity": VALIDITY} | changed
        return RuleInputs(Study(config, {name: value for name, value in experiment.items() if value is not None}))

    return make


def at(**names):
    return SimpleNamespace(**names)


def test_inputs_of_measure_passages_depend_on_the_data(rules):
    found = rules()
    assert (
        found.one("measure_passages.data")(at(data="trainsets/human/none/draw-1"))
        == "results/trainsets/human/none/draw-1/groups.jsonl"
    )
    written = "passages/gardens/zero-shot/draw-0/echo"
    assert found.one("measure_passages.data")(at(data=written)) == f"results/{written}/passages.jsonl"
    assert found.one("measure_passages.retriever")(at()).endswith("config/retrievers/tiny-dense.yaml")
    assert found.one("measure_passages.model")(at()) == "results/models/tiny-encoder"


def test_find_leaks_reads_every_test_set_once(rules):
    found = rules()
    names = found.inputs.validity.testsets(at())
    specs = [found.study.entities["testsets"][name] for name in names]
    assert names == list(found.study.testsets_of("toy"))
    assert found("find_leaks.queries")(at()) == [
        f"results/corpora/{spec.corpus}/{spec.split}/queries.jsonl" for spec in specs
    ]
    assert found("find_leaks.qrels")(at()) == [
        f"results/corpora/{spec.corpus}/{spec.split}/qrels.txt" for spec in specs
    ]
    assert found("find_leaks.passages")(at()) == [f"results/corpora/{spec.corpus}/passages.jsonl" for spec in specs]
    assert found("find_leaks.vectors")(at()) == [
        f"results/validity/testsets/{spec.corpus}/{spec.split}/tiny-dense" for spec in specs
    ]
    assert found.inputs.validity.words(at()) == 32
    assert found("find_leaks.model")(at()) == ["results/models/tiny-encoder"]
    assert rules(suites=["toy", "toy"]).inputs.validity.testsets(at()) == names


def test_find_leaks_without_near_duplicates_reads_no_model(rules):
    found = rules(validity={"retriever": "tiny-dense"})
    assert (
        found("find_leaks.model")(at())
        == found("find_leaks.retriever")(at())
        == found("find_leaks.vectors")(at())
        == []
    )


def test_words_of_a_model_that_reads_whole_texts_is_zero(rules):
    leaks = VALIDITY["leaks"] | {"words": None}
    assert rules(validity=VALIDITY | {"leaks": leaks}).inputs.validity.words(at()) == 0


def test_find_leaks_reads_exemplars_of_few_shot_passages(rules):
    found = rules()
    shown = "results/passages/gardens/few-shot-supervised/draw-1/exemplars.jsonl"
    assert found("find_leaks.exemplars")(at(data="passages/gardens/few-shot-supervised/draw-1/echo")) == [shown]
    assert found("find_leaks.exemplars")(at(data="passages/gardens/zero-shot/draw-0/echo")) == []
    assert found("find_leaks.exemplars")(at(data="trainsets/human/none/draw-1")) == []
    enriched = found.study.entities["recipes"]["enriched"]
    expected = [
        f"results/passages/{enriched.corpus}/{name}/draw-1/exemplars.jsonl"
        for name in enriched.paradigms
        if name.startswith("few-shot")
    ]
    assert found("find_leaks.exemplars")(at(data="trainsets/enriched/echo/draw-1")) == expected


def test_inputs_of_the_validity_table_start_with_human_training_sets(rules):
    found = rules(recipes=["enriched", "human"])
    assert found("make_validity_table.statistics")(at()) == [
        "results/validity/trainsets/human/none/draw-1/statistics.json",
        "results/validity/trainsets/enriched/echo/draw-1/statistics.json",
    ]
    assert (
        found("make_validity_table.controls")(at())[1]
        == "results/validity/trainsets/enriched/echo/draw-1/controls.json"
    )
    assert found("make_validity_table.leaks")(at())[1] == "results/validity/trainsets/enriched/echo/draw-1/leaks.json"


def test_reference_of_measure_passages_is_the_human_training_set_of_the_draw(rules):
    found = rules(recipes=["enriched", "human"], vary=["queries"])
    human = "results/trainsets/human/none/draw-2/groups.jsonl"
    assert found("measure_passages.reference")(at(data="trainsets/enriched/echo/draw-2")) == [human]
    assert found("measure_passages.reference")(at(data="trainsets/human/none/draw-2")) == []
    assert found("measure_passages.reference")(at(data="passages/gardens/zero-shot/draw-0/echo")) == []
    other = found.study.entities["recipes"]["enriched"].model_copy(update={"corpus": "other"})
    found.study.entities["recipes"]["enriched"] = other
    assert found("measure_passages.reference")(at(data="trainsets/enriched/echo/draw-2")) == []


def test_inputs_without_the_section_validity_are_refused(rules):
    found = rules(validity=None)
    for ask in (
        found.inputs.validity.settings,
        found("make_validity_table.leaks"),
        found.one("measure_passages.model"),
        found.inputs.validity.leak_tests,
    ):
        with pytest.raises(ConfigError, match=r"^experiment: no section 'validity', so results/validity/, "):
            ask(at())


def test_inputs_of_dropped_overlap(rules, config):
    path = config / "recipes/human.yaml"
    found = rules()
    human = at(recipe="human")
    assert found("pair_trainset.dropped_queries")(human) == found("pair_trainset.dropped_model")(human) == []
    assert found("pair_trainset.dropped_retriever")(human) == []
    assert found("pair_trainset.dropped_qrels")(human) == found("pair_trainset.dropped_passages")(human) == []
    name = found.inputs.validity.testsets(at())[0]
    path.write_text(path.read_text() + f"drop_leaks: {{testsets: [{name}], cosine: 0.9, retriever: tiny-dense}}\n")
    found = rules()
    spec = found.study.entities["testsets"][name]
    assert found("pair_trainset.dropped_queries")(human) == [
        f"results/corpora/{spec.corpus}/{spec.split}/queries.jsonl"
    ]
    assert found("pair_trainset.dropped_qrels")(human) == [f"results/corpora/{spec.corpus}/{spec.split}/qrels.txt"]
    assert found("pair_trainset.dropped_passages")(human) == [f"results/corpora/{spec.corpus}/passages.jsonl"]
    assert found("pair_trainset.dropped_model")(human) == ["results/models/tiny-encoder"]


def test_inputs_of_the_guard(rules, config):
    path = config / "recipes/human.yaml"
    found, human = rules(), at(recipe="human")
    assert found("pair_trainset.guard_retriever")(human) == found("pair_trainset.guard_model")(human) == []
    assert found.inputs.trainsets.gpus(human) == 0
    guard = "count: 3, guard: {max_share_of_positive: 0.95, scored_by: tiny-dense}"
    path.write_text(path.read_text().replace("count: 3", guard))
    found = rules()
    assert found("pair_trainset.guard_retriever")(human) == [str(config / "retrievers/tiny-dense.yaml")]
    assert found("pair_trainset.guard_model")(human) == ["results/models/tiny-encoder"]
    assert found.inputs.trainsets.gpus(human) == 1


def test_inputs_of_teachers(rules, config):
    path, human = config / "recipes/human.yaml", at(recipe="human")
    found = rules()
    assert found("pair_trainset.teacher")(human) == found("pair_trainset.teacher_model")(human) == []
    assert found.inputs.trainsets.gpus(human) == 0
    path.write_text(path.read_text() + "teacher: t5\n")
    found = rules()
    assert found("pair_trainset.teacher")(human) == [str(config / "rankers/t5.yaml")]
    assert found("pair_trainset.teacher_model")(human) == ["results/models/tiny-t5"]
    assert found.inputs.trainsets.gpus(human) == 1


@pytest.mark.parametrize(
    ("validity", "message"),
    [
        ({"retriever": "bm25"}, r"^experiment: validity\.retriever: 'bm25' must be a dense retriever$"),
        (
            {"retriever": "tiny-dense", "leaks": {"cosine": 0.9, "retriever": "bm25"}},
            r"^experiment: validity\.leaks\.retriever: 'bm25' must be a dense retriever$",
        ),
        ({"retriever": "tiny-dense", "leaks": {"cosine": 0.9}}, "state cosine and retriever together"),
        ({"retriever": "none-such"}, "none-such"),
    ],
)
def test_study_refuses_invalid_settings_of_validity_with_one_line(rules, validity, message):
    with pytest.raises(ConfigError, match=message) as error:
        rules(validity=validity)
    assert "\n" not in str(error.value)


def test_study_refuses_drop_leaks_with_a_query_model(rules, config):
    (config / "retrievers/two.yaml").write_text("kind: dense\nmodel: tiny-encoder\nquery_model: tiny-encoder\n")
    path = config / "recipes/human.yaml"
    name = rules().inputs.validity.testsets(at())[0]
    path.write_text(path.read_text() + f"drop_leaks: {{testsets: [{name}], cosine: 0.9, retriever: two}}\n")
    with pytest.raises(ConfigError, match=r"human\.yaml: drop_leaks\.retriever: 'two' has a query_model"):
        rules()
