"""Checks of prompts, token limits and sizes."""

import re
import shutil

import pytest

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.errors import ConfigError, PromptError


@pytest.fixture
def copy(tmp_path, config):
    """A copy of the committed configuration to break."""
    return shutil.copytree(config, tmp_path / "config")


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def problem(folder, **changed):
    with pytest.raises((ConfigError, PromptError)) as error:
        Study(folder, {**read_yaml(folder / "config.yaml"), **changed})
    assert "\n" not in str(error.value)
    return re.sub(r"(?<=\.yaml):\d+", "", str(error.value)).replace(str(folder), "config")


ZERO = "prompts/passage-zero-shot.md"


def test_an_input_that_a_corpus_does_not_state_is_refused(copy):
    replace(copy / ZERO, "inputs: [query, passage_words]", "inputs: [query, domain]")
    replace(copy / ZERO, "about {{ passage_words }} words", "{{ domain }}")
    assert problem(copy) == (
        "config/corpora/msmarco-passage.yaml: missing key 'domain', an input of config/prompts/passage-zero-shot.md; "
        "state it or use another prompt"
    )
    replace(copy / "corpora/msmarco-passage.yaml", "passage_words: 60", "domain: the web")
    assert problem(copy).startswith(
        "config/corpora/msmarco-passage.yaml: missing key 'passage_words', an input of config/prompts/passage-few"
    )


@pytest.mark.parametrize(
    ("prompt", "old", "new", "said"),
    [
        ("passage-zero-shot", "[query, passage_words]", "[query, passage_words, domian]",
         "config/paradigms/zero-shot.yaml has no input 'domian'; did you mean 'domain'?"),
        ("passage-zero-shot", "[query, passage_words]", "[passage_words]",
         "'query' is missing, an input of config/paradigms/zero-shot.yaml; add it (known: domain, passage_words, "
         "query)"),
        ("passage-zero-shot", "[query, passage_words]", "[query, exemplars]",
         "config/paradigms/zero-shot.yaml has no input 'exemplars' (known: domain, passage_words, query)"),
        ("passage-few-shot-supervised", "[query, exemplars, passage_words]", "[query, exemplar, passage_words]",
         "config/paradigms/few-shot-supervised-k3.yaml has no input 'exemplar'; did you mean 'exemplars'?"),
        ("passage-few-shot-unsupervised", "[query, exemplars, passage_words]", "[query, passage_words]",
         "'exemplars' is missing, an input of config/paradigms/few-shot-unsupervised-k3.yaml; add it (known: domain, "
         "exemplars, passage_words, query)"),
        ("passage-graded", "[query, levels]", "[query, level]",
         "config/paradigms/graded.yaml has no input 'level'; did you mean 'levels'?"),
        ("query-zero-shot", "[passage]", "[passage, domain]",
         "config/augmentations/llm-queries.yaml has no input 'domain' (known: passage)"),
        ("query-zero-shot", "[passage]", "[passage, exemplars]",
         "config/augmentations/llm-queries.yaml has no input 'exemplars' (known: passage)"),
        ("query-inpars", "[passage, exemplars]", "[passages, exemplars]",
         "config/augmentations/inpars.yaml has no input 'passages'; did you mean 'passage'?"),
        ("query-promptagator", "[passage, exemplars]", "[passage]",
         "'exemplars' is missing, an input of config/augmentations/msmarco-promptagator.yaml; add it (known: "
         "exemplars, passage)"),
        ("rank-listwise", "[query, passages]", "[query, passage]",
         "config/rankings/listwise-20-10.yaml has no input 'passage'; did you mean 'passages'?"),
        ("rank-setwise", "[query, passages]", "[qurey, passages]",
         "config/rankings/setwise.yaml has no input 'qurey'; did you mean 'query'?"),
        ("rank-pairwise", "[query, passages]", "[query]",
         "'passages' is missing, an input of config/rankings/pairwise.yaml; add it (known: passages, query)"),
        ("rank-pointwise", "[query, passage]", "[query, passages]",
         "config/rankings/pointwise.yaml has no input 'passages'; did you mean 'passage'?"),
        ("rank-query-likelihood", "[passage]", "[query, passage]",
         "config/rankings/query-likelihood.yaml has no input 'query' (known: passage)"),
    ],
)  # fmt: skip
def test_a_prompt_with_wrong_inputs_is_refused(copy, prompt, old, new, said):
    replace(copy / f"prompts/{prompt}.md", f"inputs: {old}", f"inputs: {new}")
    assert problem(copy) == f"config/prompts/{prompt}.md: inputs: {said}"


@pytest.mark.parametrize(
    ("prompt", "old", "new", "file"),
    [
        ("passage-zero-shot", "passage", "queries", "paradigms/zero-shot"),
        ("passage-graded", "graded", "passage", "paradigms/graded"),
        ("query-zero-shot", "queries", "passage", "augmentations/llm-queries"),
        ("rank-listwise", "listwise", "setwise", "rankings/listwise-20-10"),
        ("rank-pointwise", "pointwise", "query-likelihood", "rankings/pointwise"),
    ],
)
def test_a_prompt_of_another_task_is_refused(copy, prompt, old, new, file):
    replace(copy / f"prompts/{prompt}.md", f"task: {old}", f"task: {new}")
    assert problem(copy) == (f"config/prompts/{prompt}.md: task: got {new!r}; config/{file}.yaml needs task {old!r}")


def test_a_structured_prompt_without_schema_and_a_prompt_without_header_are_refused(copy):
    replace(copy / "prompts/rank-listwise.md", "task: listwise", "task: listwise\nstructured: true")
    assert problem(copy) == (
        "config/prompts/rank-listwise.md: structured: task 'listwise' has no JSON Schema; remove the key"
    )
    (copy / "prompts/rank-listwise-single-turn.md").write_text("# user\n{{ query }}\n", encoding="utf-8")
    assert problem(copy) == (
        "config/prompts/rank-listwise-single-turn.md: no front matter; start the file with a block --- task: … "
        "inputs: … ---"
    )


@pytest.mark.parametrize("domain", ["''", "' '", '"a\\nb"', "[medicine]"])
def test_a_domain_that_is_not_one_line_is_refused(copy, domain):
    replace(copy / "corpora/python-headings.yaml", "domain: technical documentation", f"domain: {domain}")
    assert problem(copy).startswith("config/corpora/python-headings.yaml: domain must be ")


def test_a_token_limit_below_the_requested_words_is_refused(copy):
    replace(copy / "llms/smollm2-135m.yaml", "max_new_tokens: 80", "max_new_tokens: 79")
    said = (
        "config/llms/smollm2-135m.yaml: sampling.max_new_tokens: 79 is too small for 60 words, passage_words of corpus "
        "'python-headings'; state at least 80"
    )
    assert problem(copy) == said
    Study(copy, {**read_yaml(copy / "config.yaml"), "llms": ["echo"], "twolar": None})
    human = dict.fromkeys(("claims", "enrichment", "sizes", "validity", "twolar"))
    Study(copy, {**read_yaml(copy / "config.yaml"), **human, "recipes": ["human"]})
    replace(copy / ZERO, "inputs: [query, passage_words]", "inputs: [query]")
    replace(copy / ZERO, "about {{ passage_words }} words", "some words")
    Study(copy, {**read_yaml(copy / "config.yaml"), **human, "recipes": ["zero-shot"]})
    assert problem(copy, **human, recipes=["few-shot-supervised"]) == said


@pytest.mark.parametrize("stated", ["counts", "train_queries"])
def test_more_queries_than_the_corpus_states_are_refused(copy, stated):
    other = "train_queries: 176" if stated == "counts" else "    train: {queries: 176, judgments: 176}"
    replace(copy / "corpora/python-headings.yaml", other, "")
    said = "177 queries, but corpus 'python-headings' has 176 training queries; state at most 176"
    assert problem(copy, recipes=["human@176", "human@177"]) == f"experiment: recipe 'human@177': {said}"
    assert problem(copy, recipes=["human-zero-shot@177"]) == f"experiment: recipe 'human-zero-shot@177': {said}"
    for name, old in (("human-zero-shot", "zero-shot, queries: 160"), ("graded", "queries: 160")):
        broken = shutil.copytree(copy, copy.parent / name)
        replace(broken / f"recipes/{name}.yaml", old, old.replace("160", "177"))
        assert problem(broken) == f"config/recipes/{name}.yaml: queries: {said}"


def test_a_corpus_without_counts_accepts_every_number_of_queries(copy):
    for stated in ("    train: {queries: 176, judgments: 176}\n", "train_queries: 176"):
        replace(copy / "corpora/python-headings.yaml", stated, "")
    Study(copy, {**read_yaml(copy / "config.yaml"), "recipes": ["human@9999"]})


def test_a_key_without_effect_in_a_mixed_corpus_is_refused(copy):
    replace(copy / "corpora/nfcorpus-mixed.yaml", "source: mixed", "source: mixed\npassage_words: 9")
    assert problem(copy) == (
        "config/corpora/nfcorpus-mixed.yaml: passage_words: has no effect in a mixed corpus; state it in the file "
        "of corpus 'nfcorpus-shared'"
    )


SUPERVISED = "paradigms/few-shot-supervised.yaml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("labels: 10", "labels: 2", "labels 2 must exceed count 2, because a prompt does not show its own query; "
         "raise labels or lower count"),
        ("count: 2", "count: 10", "labels 10 must exceed count 10, because a prompt does not show its own query; "
         "raise labels or lower count"),
        ("  labels: 10\n", "", "exemplars of kind pairs need labels, the number of labelled queries in all prompts "
         "together"),
        ("kind: pairs", "kind: passages", "exemplars of kind passages use no labels; remove labels"),
    ],
)  # fmt: skip
def test_labels_that_do_not_fit_the_exemplars_are_refused(copy, old, new, said):
    replace(copy / SUPERVISED, old, new)
    found = problem(copy)
    assert found == f"config/{SUPERVISED}: exemplars: {said}"


def test_more_labels_than_training_queries_are_refused(copy):
    replace(copy / SUPERVISED, "labels: 10", "labels: 176")
    Study(copy, read_yaml(copy / "config.yaml"))
    replace(copy / SUPERVISED, "labels: 176", "labels: 177")
    assert problem(copy) == (
        f"config/{SUPERVISED}: exemplars.labels: 177 labels, but corpus 'python-headings' has 176 training queries; "
        f"state "
        "at most 176"
    )


def test_only_exemplars_of_the_small_model_are_truncated(study):
    shown = {name: spec.exemplars for name, spec in study.entities["paradigms"].items()
             if getattr(spec, "exemplars", None)}  # fmt: skip
    used = {
        name: {
            recipe.corpus for recipe in study.entities["recipes"].values() if name in getattr(recipe, "paradigms", ())
        }
        for name in shown
    }
    assert {name for name, spec in shown.items() if spec.words} == {"few-shot-supervised", "few-shot-unsupervised"}
    assert {name for name, corpora in used.items() if "msmarco-passage" in corpora} == {
        "few-shot-supervised-k3", "few-shot-unsupervised-k3",
    }  # fmt: skip
    assert {(spec.count, spec.labels) for spec in shown.values() if spec.kind == "pairs"} == {
        (2, 10), (3, 100), (8, 100),
    }  # fmt: skip
