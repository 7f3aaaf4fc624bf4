"""Reading of entity files, and messages about invalid ones."""

import pytest
from pydantic import TypeAdapter, ValidationError

from synthrank.config.base import Name, load, references, validate
from synthrank.config.corpora import CorpusSpec
from synthrank.config.experiment import Experiment
from synthrank.config.models import ModelSpec
from synthrank.config.paradigms import ParadigmSpec
from synthrank.config.rankers import RankerSpec
from synthrank.config.recipes import RecipeSpec
from synthrank.config.study import KINDS
from synthrank.errors import ConfigError

RECIPE = """kind: pairs
corpus: c
positives:
  - {paradigm: human, queries: 4}
negatives:
  source: human
  retriever: bm25
  guard: {skip_top: 1}
"""
RANKER = """architecture: cross-encoder
base: {model: m}
max_length: 8
loss: lambda
optimiser: {learning_rate: 1.0e-5, epochs: 1, batch_size: 2}
rerank: {retriever: bm25}
"""
FAQ = """source: faq
archives:
  - {package: p, version: "1", sha256: "%s", docs: [a], faq: [b]}
splits: {test: 1.0}
""" % ("0" * 64)  # the braces are YAML's


def message(tmp_path, kind, text):
    path = tmp_path / "entity.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(kind, path)
    return str(error.value).replace(str(path), "")


@pytest.mark.parametrize(
    ("kind", "old", "new", "right"),
    [
        (
            RecipeSpec, "corpus: c", "corpus: c\ndepth: 3",
            ":3: unknown key 'depth' (known: corpus, drop_leaks, kind, more_pairs, negatives, positives, seed, "
            "teacher)",
        ),
        (
            RecipeSpec, "  retriever", "  dept: 3\n  retriever",
            ":7: unknown key 'negatives.dept'; did you mean 'depth'?",
        ),
        (
            RecipeSpec, "skip_top", "skip",
            ":8: unknown key 'negatives.guard.skip'; did you mean 'skip_top'?",
        ),
        (
            RecipeSpec, "queries: 4", "queries: 4, per: 2",
            ":4: unknown key 'positives.0.per' (known: filter, paradigm, per_query, queries)",
        ),
        (RecipeSpec, "corpus: c\n", "", ": missing key 'corpus'"),
        (RecipeSpec, "  source: human\n", "", ":5: missing key 'negatives.source'"),
        (RecipeSpec, "{paradigm: human, queries: 4}", "{}",
            ":4: missing key 'positives.0.paradigm'\n:4: missing key 'positives.0.queries'"),
        (RecipeSpec, "kind: pairs\n", "", ": missing key 'kind'; known values: distil, graded, order, pairs, teacher"),
        (RecipeSpec, "kind: pairs", "kind: pears", ":1: kind: unknown value 'pears'; did you mean 'pairs'?"),
        (ModelSpec, RECIPE, "source: ftp\n", ":1: source: unknown value 'ftp' (known: first-layers, folder, hub, "
            "package, token-table)"),
        (RecipeSpec, "source: human", "source: other",
            ":6: negatives.source: unknown value 'other' (known: human, same)"),
        (RecipeSpec, "queries: 4", "queries: 0",
            ":4: positives.0.queries must be at least 1; got 0"),
        (RecipeSpec, "corpus: c", "corpus: C_1",
            ":2: corpus: invalid name 'C_1'; use lower-case letters and digits, with single hyphens or dots "
            "between them"),
        (RecipeSpec, "corpus: c", "kind: pairs\ncorpus: c", ":2: not YAML (key 'kind' occurs twice)"),
        (RecipeSpec, "skip_top: 1}", "skip_top: 1, skip_top: 2}", ":8: not YAML (key 'skip_top' occurs twice)"),
        (RecipeSpec, "corpus: c", "corpus: ]", ":2: not YAML (did not find expected node content)"),
        (RecipeSpec, RECIPE, "- a\n", ": the file must be a mapping of keys to values; got ['a']"),
    ],
)  # fmt: skip
def test_an_invalid_entity_is_refused_with_file_line_and_key(tmp_path, kind, old, new, right):
    assert RECIPE.count(old) == 1
    assert message(tmp_path, kind, RECIPE.replace(old, new)) == right


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        ("{model: m}", "{}", ":2: base: state either model, or recipe and ranker"),
        ("{model: m}", "{model: m, recipe: r, ranker: x}", ":2: base: state either model, or recipe and ranker"),
        ("{model: m}", "{recipe: r}", ":2: base: state either model, or recipe and ranker"),
        ("rerank: {retriever: bm25}", "depth: 3", "\n: missing key 'rerank'"),
        ("{retriever: bm25}", "{retriever: bm25, k: 3}",
            ":6: unknown key 'rerank.k' (known: depth, fusion_k, mix, retriever)"),
        ("lambda", "lamda", ":4: loss: unknown value 'lamda'; did you mean 'lambda'?"),
        ("lambda", "cached-multiple-negatives", ":4: loss: unknown value 'cached-multiple-negatives'; did you mean "
            "'multiple-negatives'?"),
        ("cross-encoder", "seq2seq", ": missing key 'score'"),
        ("cross-encoder", "bi-encoder\nlabels: 2", ":2: unknown key 'labels' (known: architecture, base, bf16, "
            "depth, eval_batch_size, eval_max_length, gpus, lora, loss, max_length, negatives, optimiser, "
            "passage_prefix, pooling, query_prefix, rerank, selection, temperature, weighing)"),
    ],
)  # fmt: skip
def test_an_invalid_ranker_is_refused_with_line_and_key(tmp_path, old, new, right):
    assert message(tmp_path, RankerSpec, RANKER.replace(old, new)).endswith(right)


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        ("1.0", "0.9", ": the shares of the splits sum to 0.9; they must sum to 1"),
        ("1.0", "-1", ":4: splits.test must be at least 0; got -1"),
        ("package:", "pkg:", ":3: unknown key 'archives.0.pkg'; did you mean 'package'?"),
        ("0" * 64, "abc", ":3: archives.0.sha256 must be 64 hexadecimal digits in lower case; got 'abc'"),
        ("splits:", "title: [prepend]\nsplits:", ":4: title must be 'prepend' or 'ignore'; got ['prepend']"),
        ("splits:", "counts: {passage: 3}\nsplits:",
            ":4: unknown key 'counts.passage'; did you mean 'passages'?"),
        ("{test:", "{Test:", ":4: splits.Test: invalid name 'Test'; use lower-case letters and digits, with "
            "single hyphens or dots between them"),
    ],
)  # fmt: skip
def test_an_invalid_corpus_is_refused_with_line_and_key(tmp_path, old, new, right):
    assert message(tmp_path, CorpusSpec, FAQ.replace(old, new)).endswith(right)


EXPERIMENT = """llms: x
recipes: [human]
rankers: [student]
seeds: 1
suites: [faq]
measures: [ndcg10]
"""


@pytest.mark.parametrize(
    ("old", "new", "right"),
    [
        ("", "", ":1: llms must be a list, e.g. [x]; got 'x'\n:4: seeds must be a list, e.g. [1]; got 1\n"
            ":6: measures.0: unknown measure 'ndcg10'; did you mean 'nDCG@10'?"),
        ("recipes", "recepies", ":2: unknown key 'recepies'; did you mean 'recipes'?\n:1: llms must be a list, "),
        ("seeds: 1", "seeds: []\nbudget_usd: much", ":4: seeds needs at least 1 item\n:7: measures.0: "),
        ("seeds: 1", "budget_usd: much", ":6: measures.0: unknown measure"),
        ("[human]", "[Human]", ":2: recipes.0: invalid name 'Human'; use lower-case letters and digits, with single "
            "hyphens or dots between them, and @N at the end for N queries"),
        ("[ndcg10]", "[AP]\nintervals: {resamples: 1.5, confidence: 1}", ":7: intervals.resamples must be a whole "
            "number; got 1.5\n:7: intervals.confidence must be less than 1; got 1"),
    ],
)  # fmt: skip
def test_all_errors_of_an_experiment_are_reported_unknown_keys_first(tmp_path, old, new, right):
    assert right in message(tmp_path, Experiment, EXPERIMENT.replace(old, new))


def test_a_key_with_a_close_unknown_key_is_not_reported_as_missing(tmp_path):
    assert message(tmp_path, RankerSpec, RANKER.replace("max_length", "maxlength") + "negativs: 2\n") == (
        ":3: unknown key 'maxlength'; did you mean 'max_length'?\n:7: unknown key 'negativs'; did you mean 'negatives'?"
    )


def test_an_error_in_a_union_has_no_tag_in_its_key(tmp_path):
    judged = RECIPE.replace("queries: 4", "queries: 4, filter: {kind: ranker, ranker: r, min_score: high}")
    assert message(tmp_path, RecipeSpec, judged) == ":4: positives.0.filter.min_score must be a number; got 'high'"
    part = "source: beir\nfolder: f\nsplits:\n  train: a.tsv\n  dev: {file: a.tsv, start: 0}\n  test: 3\n"
    assert message(tmp_path, CorpusSpec, part) == (
        ":5: missing key 'splits.dev.end'\n:6: splits.test must be text, in quotes if it looks like a number; got 3"
    )


def test_an_unknown_key_of_an_optional_part_is_refused(tmp_path):
    text = "kind: generated\nprompt: p\nexemplars: {kind: pairs, count: 1, labels: 2, wrds: 3}\n"
    assert message(tmp_path, ParadigmSpec, text) == (":3: unknown key 'exemplars.wrds'; did you mean 'words'?")


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read \(No such file or directory\); expected a YAML"):
        load(RecipeSpec, tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"kind: \xfc\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml:1: byte 7 of the line is not UTF-8; convert the file"):
        load(RecipeSpec, tmp_path / "latin.yaml")


def test_a_yaml_tag_of_a_python_object_is_refused(tmp_path):
    assert "not YAML (could not determine a constructor" in message(
        tmp_path, RecipeSpec, "kind: !!python/object/apply:os.getcwd []\n"
    )


def test_references_includes_nested_entities_and_lists(tmp_path):
    (tmp_path / "r.yaml").write_text(RECIPE.replace("queries: 4}", "queries: 4}\n  - {paradigm: two, queries: 1}"))
    assert sorted(references(load(RecipeSpec, tmp_path / "r.yaml"))) == [
        ("corpus", "corpora", "c"),
        ("negatives.retriever", "retrievers", "bm25"),
        ("positives.paradigm", "paradigms", "human"),
        ("positives.paradigm", "paradigms", "two"),
    ]
    (tmp_path / "b.yaml").write_text(RANKER.replace("{model: m}", "{recipe: r, ranker: x}"))
    names = {name for *_, name in references(load(RankerSpec, tmp_path / "b.yaml"))}
    assert {"r", "x", "bm25"} <= names
    experiment = {"llms": ["l"], "recipes": ["a", "b"], "rankers": ["k"], "seeds": [1], "suites": ["s"]}
    found = list(references(validate(Experiment, {**experiment, "measures": ["AP"]}, "experiment")))
    assert found == [
        ("llms", "llms", "l"), ("recipes", "recipes", "a"), ("recipes", "recipes", "b"), ("rankers", "rankers", "k"),
        ("suites", "suites", "s"),
    ]  # fmt: skip


def test_references_omits_keys_that_are_null():
    spec = validate(RankerSpec, {
        "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "lambda",
        "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2}, "rerank": {"retriever": "bm25"},
    }, "x")  # fmt: skip
    assert sorted(references(spec)) == [("base.model", "models", "m"), ("rerank.retriever", "retrievers", "bm25")]


def test_entities_are_immutable(study):
    with pytest.raises(ValidationError, match="frozen"):
        study.entities["recipes"]["human"].corpus = "other"


@pytest.mark.parametrize("name", ["a", "bm25", "e5-base-v2", "all-minilm-l6-v2", "gpt-4.1", "0"])
def test_name_accepts_lower_case_hyphens_and_dots(name):
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "A", "a_b", "a/b", "-a", "a-", "a--b", "a..b", ".a", "a b", "a\n", "ä", "a@b"])
def test_name_refuses_other_characters(name):
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


def test_every_committed_entity_is_valid(config):
    found = [(path.parent.name, path) for path in sorted(config.glob("*/*.yaml"))]
    found = [(kind, path) for kind, path in found if kind not in ("profiles", "experiments")]
    assert {kind for kind, _ in found} == set(KINDS)
    for kind, path in found:
        load(KINDS[kind], path)
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema=../schemas/{kind}.json", path
