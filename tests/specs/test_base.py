"""Entity files: what is wrong is said in one line, with the file, the key, the value and what would be right."""

import pytest
from pydantic import TypeAdapter, ValidationError

from synthrank.errors import ConfigError
from synthrank.specs.base import Name, load, references, validate
from synthrank.specs.corpora import CorpusSpec
from synthrank.specs.experiment import Experiment
from synthrank.specs.models import ModelSpec
from synthrank.specs.paradigms import ParadigmSpec
from synthrank.specs.rankers import RankerSpec
from synthrank.specs.recipes import RecipeSpec
from synthrank.study import KINDS

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
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{path}")


# pydantic counts a list that lacks an item for its error as another problem: "(and 1 more)".
@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        (
            RecipeSpec, "corpus: c", "corpus: c\ndepth: 3",
            ": depth: unknown key; known keys here: corpus, drop_leaks, kind, more_pairs, negatives, positives, seed, "
            "teacher",
        ),
        (
            RecipeSpec, "  retriever", "  dept: 3\n  retriever",
            ": negatives.dept: unknown key; known keys here: count, depth, guard, retriever, source",
        ),
        (
            RecipeSpec, "skip_top", "skip",
            ": negatives.guard.skip: unknown key; "
            "known keys here: known_positives, max_overlap, max_share_of_positive, scored_by, skip_top",
        ),
        (
            RecipeSpec, "queries: 4", "queries: 4, per: 2",
            ": positives.0.per: unknown key; known keys here: filter, paradigm, per_query, queries (and 1 more)",
        ),
        (RecipeSpec, "corpus: c\n", "", ": corpus: is missing; it must be stated"),
        (RecipeSpec, "  source: human\n", "", ": negatives.source: is missing; it must be stated"),
        (RecipeSpec, "{paradigm: human, queries: 4}", "{}",
            ": positives.0.paradigm: is missing; it must be stated (and 2 more)"),
        (RecipeSpec, "kind: pairs\n", "", ": kind: is missing; known values: distil, graded, order, pairs, teacher"),
        (RecipeSpec, "kind: pairs", "kind: pears", ": kind: got 'pears'; known values: 'pairs', 'graded', 'distil', "
            "'order', 'teacher'"),
        (ModelSpec, RECIPE, "source: ftp\n", ": source: got 'ftp'; known values: 'package', 'hub', 'folder', "
            "'token-table', 'first-layers'"),
        (RecipeSpec, "source: human", "source: other",
            ": negatives.source: got 'other'; input should be 'human' or 'same'"),
        (RecipeSpec, "queries: 4", "queries: 0",
            ": positives.0.queries: got 0; input should be greater than or equal to 1 (and 1 more)"),
        (RecipeSpec, "corpus: c", "corpus: C_1",
            ": corpus: got 'C_1'; string should match pattern '^[a-z0-9]+([.-][a-z0-9]+)*$'"),
        (RecipeSpec, "corpus: c", "kind: pairs\ncorpus: c", ":2: not YAML (key 'kind' is given twice)"),
        (RecipeSpec, "skip_top: 1}", "skip_top: 1, skip_top: 2}", ":8: not YAML (key 'skip_top' is given twice)"),
        (RecipeSpec, "corpus: c", "corpus: ]", ":2: not YAML (did not find expected node content)"),
        (RecipeSpec, RECIPE, "- a\n", ": file: got ['a']; input should be a valid dictionary or object to extract "
            "fields from"),
    ],
)  # fmt: skip
def test_a_wrong_entity_is_one_line(tmp_path, kind, old, new, said):
    assert RECIPE.count(old) == 1
    assert message(tmp_path, kind, RECIPE.replace(old, new)) == said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{model: m}", "{}", ": base: got {}; state either model, or recipe and ranker"),
        ("{model: m}", "{model: m, recipe: r, ranker: x}", "; state either model, or recipe and ranker"),
        ("{model: m}", "{recipe: r}", ": base: got {'recipe': 'r'}; state either model, or recipe and ranker"),
        ("rerank: {retriever: bm25}", "depth: 3", " (and 1 more)"),
        ("{retriever: bm25}", "{retriever: bm25, k: 3}",
            ": rerank.k: unknown key; known keys here: depth, fusion_k, mix, retriever"),
        ("lambda", "lamda", ": loss: got 'lamda'; input should be 'ranknet', 'listnet', 'kl-divergence', "
            "'lambda', 'lce', 'softmax-cross-entropy', 'margin-mse', "
            "'rmse', 'binary-cross-entropy' or 'multiple-negatives'"),
        ("lambda", "cached-multiple-negatives", "'binary-cross-entropy' or 'multiple-negatives'"),
        ("cross-encoder", "seq2seq", ": score: is missing; it must be stated"),
        ("cross-encoder", "bi-encoder\nlabels: 2", ": labels: unknown key; known keys here: architecture, base, bf16, "
            "depth, eval_batch_size, eval_max_length, gpus, lora, loss, max_length, negatives, optimiser, "
            "passage_prefix, pooling, query_prefix, rerank, selection, temperature, weighing"),
    ],
)  # fmt: skip
def test_a_wrong_ranker_is_one_line(tmp_path, old, new, said):
    assert message(tmp_path, RankerSpec, RANKER.replace(old, new)).endswith(said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.0", "0.9", "; the shares of the splits sum to 0.9; they must sum to 1"),
        ("1.0", "-1", ": splits.test: got -1; input should be greater than or equal to 0"),
        ("package:", "pkg:", ": archives.0.package: is missing; it must be stated (and 1 more)"),
        ("0" * 64, "abc", ": archives.0.sha256: got 'abc'; string should match pattern '^[0-9a-f]{64}$'"),
        ("splits:", "title: [prepend]\nsplits:", ": title: got ['prepend']; input should be 'prepend' or 'ignore'"),
        ("splits:", "counts: {passage: 3}\nsplits:",
            ": counts.passage: unknown key; known keys here: passages, splits"),
        ("{test:", "{Test:", "; string should match pattern '^[a-z0-9]+([.-][a-z0-9]+)*$'"),
    ],
)  # fmt: skip
def test_a_wrong_corpus_is_one_line(tmp_path, old, new, said):
    assert message(tmp_path, CorpusSpec, FAQ.replace(old, new)).endswith(said)


def test_a_key_of_an_optional_part_is_named(tmp_path):
    text = "kind: generated\nprompt: p\nexemplars: {kind: pairs, count: 1, labels: 2, wrds: 3}\n"
    assert message(tmp_path, ParadigmSpec, text) == (
        ": exemplars.wrds: unknown key; known keys here: count, kind, labels, seed, words"
    )


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read \(No such file or directory\); expected a YAML"):
        load(RecipeSpec, tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"kind: \xfc\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml: not UTF-8 at byte 6; save it as UTF-8"):
        load(RecipeSpec, tmp_path / "latin.yaml")


def test_a_yaml_file_runs_no_code(tmp_path):
    assert "not YAML (could not determine a constructor" in message(
        tmp_path, RecipeSpec, "kind: !!python/object/apply:os.getcwd []\n"
    )


def test_references_are_found_in_nested_entities_and_lists(tmp_path):
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


def test_an_absent_reference_is_none():
    """A base that is a model names no recipe: there is nothing to look up."""
    spec = validate(RankerSpec, {
        "architecture": "cross-encoder", "base": {"model": "m"}, "max_length": 8, "loss": "lambda",
        "optimiser": {"learning_rate": 1e-5, "epochs": 1, "batch_size": 2}, "rerank": {"retriever": "bm25"},
    }, "x")  # fmt: skip
    assert sorted(references(spec)) == [("base.model", "models", "m"), ("rerank.retriever", "retrievers", "bm25")]


def test_entities_are_immutable(study):
    with pytest.raises(ValidationError, match="frozen"):
        study.entities["recipes"]["human"].corpus = "other"


@pytest.mark.parametrize("name", ["a", "bm25", "e5-base-v2", "all-minilm-l6-v2", "gpt-4.1", "0"])
def test_names(name):
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "A", "a_b", "a/b", "-a", "a-", "a--b", "a..b", ".a", "a b", "a\n", "ä", "a@b"])
def test_what_is_no_name(name):
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


def test_every_committed_entity_validates(config):
    found = [(path.parent.name, path) for path in sorted(config.glob("*/*.yaml"))]
    found = [(kind, path) for kind, path in found if kind not in ("profiles", "experiments")]
    assert {kind for kind, _ in found} == set(KINDS)
    for kind, path in found:
        load(KINDS[kind], path)
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema=../schemas/{kind}.json", path
