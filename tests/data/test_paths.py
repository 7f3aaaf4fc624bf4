"""Forms of paths: building and parsing them, their agreement with the rules, and that code has no other forms."""

import ast
import re
from pathlib import Path

import pytest
from conftest import ROOT, rule_text

from synthrank.config.experiment import STAGES
from synthrank.data import paths

FORMS = {name: form for name, form in vars(paths).items() if isinstance(form, paths.Form)}
PARTS = {"BY_RANKER", "BY_RETRIEVER"}
"""Forms of a wildcard's values. No rule makes such a path."""
NAMES = {
    "collection": "passages/nfcorpus/zero-shot/draw-2/gpt-4.1",
    "judge": "rankers/t5",
    "draw": "2",
    "seed": "13",
    "queryset": "titles@raw",
}
OUTPUT = re.compile(r'^ +\w+=(?:temp\()?(?:directory\()?"results/([^"]+)"', re.MULTILINE)


def names_of(form):
    return {name: NAMES.get(name, f"{name}-1.0@2") for name in re.findall(r"{(\w+)}", form.template)}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_names_returns_what_a_path_was_built_from(form):
    names = names_of(form)
    assert form.names(form(**names)) == names
    assert form.names(Path("/results/runs/passages") / form(**names)) == names
    assert re.fullmatch(form.pattern, form(**names))


def test_form_ignores_names_that_it_does_not_have():
    assert paths.SPLIT(corpus="nfcorpus", split="test", llm="none") == "corpora/nfcorpus/test"


def test_names_refuses_a_path_of_another_form():
    path = "results/trainsets/human/none/groups.jsonl"
    assert not paths.TRAINSET.fits(path)
    with pytest.raises(
        ValueError,
        match=r"^results/trainsets/human/none/groups\.jsonl: expected a path of the form …/trainsets/{recipe}/",
    ):
        paths.TRAINSET.names(path)


@pytest.mark.parametrize(
    ("path", "form", "others"),
    [
        ("corpora/nfcorpus", "CORPUS", ["SPLIT", "PASSAGES"]),
        ("corpora/nfcorpus/test", "SPLIT", ["CORPUS"]),
        ("passages/nfcorpus/p/draw-1", "REQUESTS", ["PASSAGES", "SPLIT"]),
        ("passages/nfcorpus/p/draw-1/l", "PASSAGES", ["REQUESTS", "TRAINSET"]),
        ("trainsets/r/l/draw-first", None, ["TRAINSET"]),
        ("runs/corpora/nfcorpus/bm25/test.trec", "RUN", ["TESTSET_RUN"]),
        ("runs/testsets/t/r/l/ranker/seed-1.trec", "TESTSET_RUN", ["RUN"]),
        ("runs/testsets/t/r/l/ranker/seed-1+first-stage.trec", None, ["TESTSET_RUN"]),
        ("runs/passages/nfcorpus/runs/draw-1/l/judged/retrievers/minilm.jsonl", "SCORED", ["RUN", "TRAINSET"]),
        ("runs/corpora/nfcorpus/judged/retrievers/minilm.jsonl", None, ["SCORED"]),
    ],
)
def test_fits_distinguishes_forms(path, form, others):
    assert form is None or FORMS[form].fits(f"results/{path}")
    assert not any(FORMS[other].fits(f"results/{path}") for other in others)


@pytest.mark.parametrize("name", sorted(FORMS.keys() - PARTS))
def test_each_form_is_an_output_of_a_rule(name):
    """A path that changes in the rules must change here too. {part}, a shard's folder, is empty without shards."""
    rules = "".join(map(rule_text, sorted((ROOT / "rules").glob("*.smk"))))
    outputs = {path.replace("{part}", "") for path in OUTPUT.findall(rules)}
    template = FORMS[name].template
    assert any(path == template or path.startswith(f"{template}/") for path in outputs)


BUILT = re.compile(rf"results/({'|'.join(STAGES)})/\S*{{")
"""A string that begins with a path of a stage and has a name in braces."""

BY_POSITION = re.compile(
    r"\.parts\[|\.parents\[\w+\]\.name|\.parent\.parent|wildcards\.(?:collection|data|judge)\.(?:split|remove)"
)
"""Parsing by the position of a folder, or of a wildcard that is a path."""


def texts(tree):
    """Yield each string of a module except docstrings, with {} for each value of an f-string."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_no_other_module_builds_or_parses_paths():
    """Each output of a rule has a form, or only the rules name it."""
    files = {
        path for folder in ("src", "scripts", "benchmarks", "docs/hooks") for path in (ROOT / folder).rglob("*.py")
    }
    found = []
    for path in files - {Path(paths.__file__)}:
        code = path.read_text(encoding="utf-8")
        built = filter(BUILT.match, texts(ast.parse(code))) if "results/" in code else ()
        found += [(str(path.relative_to(ROOT)), text) for text in (*built, *BY_POSITION.findall(code))]
    assert found == []
