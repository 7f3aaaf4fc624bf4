"""Paths over the fields of entities."""

import re
from types import SimpleNamespace as Job
from typing import get_args

import pytest
from rule_inputs import stated

from synthrank.config.base import Entity, RetrieverName, TestsetName, kind_named
from synthrank.config.experiment import Experiment, Twolar, Validity
from synthrank.config.study import KINDS
from synthrank.workflow.inputs.templates import FIELD, Templates
from synthrank.workflow.inputs.templates import KINDS as PLURALS


class Suite(Entity):
    testsets: tuple[TestsetName, ...]
    teacher: RetrieverName | None = None


PART = Job(augmentation="titles"), Job(augmentation="crops")
STUDY = Job(
    seeds=(1, 2),
    entities={
        "retrievers": {"e5": Job(model="e5-base", query_model=None), "bm25": Job()},
        "pools": {"two": Job(sources=("bm25", "e5"))},
        "augmentations": {"both": Job(parts=PART)},
        "corpora": {"mixed": Job(corpus="faq")},
        "suites": {"both": Suite(testsets=("a", "b"), teacher="e5"), "bare": Suite(testsets=("a", "b"))},
        "testsets": {"a": Job(corpus="faq", split="dev"), "b": Job(corpus="wiki", split="test")},
    },
)
CASES = [
    ("results/models/{retriever.model}", {"retriever": "e5"}, ["results/models/e5-base"]),
    ("results/models/{retriever.model}", {"retriever": "bm25"}, []),
    ("results/models/{retriever.query_model}", {"retriever": "e5"}, []),
    ("r/{corpus}/{pool.sources}/t.trec", {"corpus": "faq", "pool": "two"}, ["r/faq/bm25/t.trec", "r/faq/e5/t.trec"]),
    ("q/{augmentation.parts.augmentation}.jsonl", {"augmentation": "both"}, ["q/titles.jsonl", "q/crops.jsonl"]),
    ("c/{corpus.corpus}/{corpus}", {"corpus": "mixed"}, ["c/faq/mixed"]),
    ("{suite.testsets.corpus}/{suite.testsets.split}", {"suite": "both"}, ["faq/dev", "wiki/test"]),
    ("models/{suite.teacher.model}", {"suite": "both"}, ["models/e5-base"]),
    ("models/{suite.teacher.model}", {"suite": "bare"}, []),
    ("models/{retriever.model}", {"retriever": "none"}, []),
    ("{retriever}/{retriever.model}", {"retriever": "none"}, []),
    ("{retriever}", {"retriever": "none"}, ["none"]),
    ("{study.seeds}", {}, ["1", "2"]),
    ("/a {{seed}} {{}}/{seed}", {"seed": "1"}, ["/a {seed} {}/1"]),
    ("results/{seed}/{seed}", {"seed": "1"}, ["results/1/1"]),
]


@pytest.mark.parametrize(("template", "wildcards", "expected"), CASES)
def test_template_gives_the_paths_of_the_fields(template, wildcards, expected):
    assert Templates(STUDY)(template)(Job(**wildcards)) == expected


def test_template_of_an_unknown_entity_is_refused():
    with pytest.raises(KeyError, match="nosuch"):
        Templates(STUDY)("results/models/{retriever.model}")(Job(retriever="nosuch"))


def test_templates_are_concatenated_in_their_order():
    job = Job(retriever="e5", corpus="faq")
    assert Templates(STUDY)("b/{retriever.query_model}", "{corpus}", "m/{retriever.model}")(job) == ["faq", "m/e5-base"]


@pytest.mark.parametrize(("retriever", "found"), [("e5", ["a", "b"]), ("bm25", [])])
def test_templates_with_given_depend_on_another_field(retriever, found):
    assert Templates(STUDY)("a", "b", given="retriever.model")(Job(retriever=retriever)) == found


def test_template_with_a_missing_wildcard_is_refused():
    with pytest.raises(AttributeError, match="corpus"):
        Templates(STUDY)("{corpus}")(Job())


def test_each_adds_the_names_of_rows_to_the_job():
    rows = [{"testset": "a", "seed": 2}, {"testset": "b", "recipe": "none"}]
    found = Templates(STUDY).each(lambda job: rows, "{testset.corpus}/{llm}/{seed}", "{testset}/{recipe}")
    assert found(Job(llm="echo")) == ["faq/echo/2", "b/none"], "a template without a value for a name gives no path"
    assert found(Job(llm="echo", testset="b", recipe="human")) == ["faq/echo/2", "a/human", "b/none"]


def models(annotation):
    """Return the models in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Entity):
        return [annotation]
    return [model for part in get_args(annotation) for model in models(part)]


OF_STUDY = {"experiment": [Experiment], "twolar": [Twolar], "validity": [Validity]}
FIELDS = sorted({field[1] for text in stated().values() for field in FIELD.finditer(text) if "." in field[1]} |
                {given for text in stated().values() for given in re.findall(r"given='([\w.]+)'", text)})  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_fields_of_all_templates_exist(field):
    """A misspelt field gives no path and no error."""
    root, *names = field.split(".")
    found = OF_STUDY[names.pop(0)] if root == "study" else models(KINDS[PLURALS.get(root, f"{root}s")])
    for name in names:
        found = [model for model in found if name in model.model_fields or hasattr(model, name)]
        assert found, name
        kinds = {kind for model in found if (kind := kind_named(model, name)) and kind in KINDS}
        nested = [
            item
            for model in found
            if name in model.model_fields
            for item in models(model.model_fields[name].annotation)
        ]
        found = [item for kind in kinds for item in models(KINDS[kind])] + nested


def test_rules_state_more_than_sixty_fields():
    assert len(FIELDS) > 60
