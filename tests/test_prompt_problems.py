"""Prompts, token limits and sizes that do not fit what they are used with: refused while the configuration is read."""

import shutil

import pytest

from synthrank.errors import ConfigError, PromptError
from synthrank.specs.base import read_yaml
from synthrank.study import Study


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
    return str(error.value).replace(str(folder), "config")


ZERO = "prompts/passage-zero-shot.md"


def test_a_prompt_takes_from_a_corpus_only_what_it_states(copy):
    replace(copy / ZERO, "inputs: [query, passage_words]", "inputs: [query, domain]")
    replace(copy / ZERO, "about {{ passage_words }} words", "{{ domain }}")
    assert problem(copy) == (
        "config/corpora/msmarco-passage.yaml: domain: is missing; config/prompts/passage-zero-shot.md has it as an "
        "input, so state it or use another prompt"
    )
    replace(copy / "corpora/msmarco-passage.yaml", "passage_words: 60", "domain: the web")
    assert problem(copy).startswith(
        "config/corpora/msmarco-passage.yaml: passage_words: is missing; config/prompts/passage-few"
    )


@pytest.mark.parametrize(
    ("prompt", "old", "new", "said"),
    [
        ("passage-zero-shot", "[query, passage_words]", "[query, passage_words, domian]",
         "got 'domian', which config/paradigms/zero-shot.yaml does not give (known: domain, passage_words, query)"),
        ("passage-zero-shot", "[query, passage_words]", "[passage_words]",
         "'query' is missing, which config/paradigms/zero-shot.yaml gives; state it (known: domain, passage_words, "
         "query)"),
        ("passage-zero-shot", "[query, passage_words]", "[query, exemplars]",
         "got 'exemplars', which config/paradigms/zero-shot.yaml does not give (known: domain, passage_words, query)"),
        ("passage-few-shot-supervised", "[query, exemplars, passage_words]", "[query, exemplar, passage_words]",
         "got 'exemplar', which config/paradigms/few-shot-supervised-k3.yaml does not give (known: domain, exemplars, "
         "passage_words, query)"),
        ("passage-few-shot-unsupervised", "[query, exemplars, passage_words]", "[query, passage_words]",
         "'exemplars' is missing, which config/paradigms/few-shot-unsupervised-k3.yaml gives; state it (known: domain, "
         "exemplars, passage_words, query)"),
        ("passage-graded", "[query, levels]", "[query, level]",
         "got 'level', which config/paradigms/graded.yaml does not give (known: domain, levels, passage_words, query)"),
        ("query-zero-shot", "[passage]", "[passage, domain]",
         "got 'domain', which config/augmentations/llm-queries.yaml does not give (known: passage)"),
        ("query-zero-shot", "[passage]", "[passage, exemplars]",
         "got 'exemplars', which config/augmentations/llm-queries.yaml does not give (known: passage)"),
        ("query-inpars", "[passage, exemplars]", "[passages, exemplars]",
         "got 'passages', which config/augmentations/inpars.yaml does not give (known: exemplars, passage)"),
        ("query-promptagator", "[passage, exemplars]", "[passage]",
         "'exemplars' is missing, which config/augmentations/msmarco-promptagator.yaml gives; state it (known: "
         "exemplars, passage)"),
        ("rank-listwise", "[query, passages]", "[query, passage]",
         "got 'passage', which config/rankings/listwise-20-10.yaml does not give (known: passages, query)"),
        ("rank-setwise", "[query, passages]", "[qurey, passages]",
         "got 'qurey', which config/rankings/setwise.yaml does not give (known: passages, query)"),
        ("rank-pairwise", "[query, passages]", "[query]",
         "'passages' is missing, which config/rankings/pairwise.yaml gives; state it (known: passages, query)"),
        ("rank-pointwise", "[query, passage]", "[query, passages]",
         "got 'passages', which config/rankings/pointwise.yaml does not give (known: passage, query)"),
        ("rank-query-likelihood", "[passage]", "[query, passage]",
         "got 'query', which config/rankings/query-likelihood.yaml does not give (known: passage)"),
    ],
)  # fmt: skip
def test_a_prompt_that_breaks_the_contract_of_its_kind(copy, prompt, old, new, said):
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
def test_a_prompt_of_another_task(copy, prompt, old, new, file):
    replace(copy / f"prompts/{prompt}.md", f"task: {old}", f"task: {new}")
    assert problem(copy) == (
        f"config/prompts/{prompt}.md: task: got {new!r}; config/{file}.yaml needs a prompt of task {old!r}"
    )


def test_a_structured_prompt_without_a_schema_and_a_prompt_without_a_head(copy):
    replace(copy / "prompts/rank-listwise.md", "task: listwise", "task: listwise\nstructured: true")
    assert problem(copy) == (
        "config/prompts/rank-listwise.md: structured: there is no JSON Schema for task 'listwise'; remove it"
    )
    (copy / "prompts/rank-listwise-single-turn.md").write_text("# user\n{{ query }}\n", encoding="utf-8")
    assert problem(copy) == (
        "config/prompts/rank-listwise-single-turn.md: no front matter; begin the file with --- task and inputs ---"
    )


@pytest.mark.parametrize("domain", ["''", "' '", '"a\\nb"', "[medicine]"])
def test_a_domain_is_a_line(copy, domain):
    replace(copy / "corpora/python-headings.yaml", "domain: technical documentation", f"domain: {domain}")
    assert problem(copy).startswith("config/corpora/python-headings.yaml: domain: got ")


def test_a_limit_of_tokens_holds_the_words_that_are_asked_for(copy):
    replace(copy / "llms/smollm2-135m.yaml", "max_new_tokens: 80", "max_new_tokens: 79")
    said = (
        "config/llms/smollm2-135m.yaml: sampling.max_new_tokens: got 79; a passage of 60 words, as corpus "
        "'python-headings' states, has about 80 tokens"
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
def test_a_recipe_asks_for_no_more_queries_than_its_corpus_has(copy, stated):
    other = "train_queries: 176" if stated == "counts" else "    train: {queries: 176, judgments: 176}"
    replace(copy / "corpora/python-headings.yaml", other, "")
    said = "asks for 177 queries, but corpus 'python-headings' has 176 to train on; ask for no more"
    assert problem(copy, recipes=["human@176", "human@177"]) == f"experiment: recipe 'human@177': {said}"
    assert problem(copy, recipes=["human-zero-shot@177"]) == f"experiment: recipe 'human-zero-shot@177': {said}"
    for name, old in (("human-zero-shot", "zero-shot, queries: 160"), ("graded", "queries: 160")):
        broken = shutil.copytree(copy, copy.parent / name)
        replace(broken / f"recipes/{name}.yaml", old, old.replace("160", "177"))
        assert problem(broken) == f"config/recipes/{name}.yaml: queries: {said}"


def test_a_corpus_that_does_not_say_how_many_queries_it_has(copy):
    for stated in ("    train: {queries: 176, judgments: 176}\n", "train_queries: 176"):
        replace(copy / "corpora/python-headings.yaml", stated, "")
    Study(copy, {**read_yaml(copy / "config.yaml"), "recipes": ["human@9999"]})


def test_a_mixed_corpus_has_what_its_corpus_has(copy):
    replace(copy / "corpora/nfcorpus-mixed.yaml", "source: mixed", "source: mixed\npassage_words: 9")
    assert problem(copy) == (
        "config/corpora/nfcorpus-mixed.yaml: passage_words: a mixed corpus has what its corpus has; state it there"
    )


SUPERVISED = "paradigms/few-shot-supervised.yaml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("labels: 10", "labels: 2", "2 labels leave a query 1 pairs that are not its own, count asks for 2; state more "
         "labels or a smaller count"),
        ("count: 2", "count: 10", "10 labels leave a query 9 pairs that are not its own, count asks for 10; state more "
         "labels or a smaller count"),
        ("  labels: 10\n", "", "labels is missing; state how many labelled queries all prompts may show together"),
        ("kind: pairs", "kind: passages", "raw passages use no labels; leave labels out"),
    ],
)  # fmt: skip
def test_a_label_budget_holds_what_a_prompt_shows(copy, old, new, said):
    replace(copy / SUPERVISED, old, new)
    found = problem(copy)
    assert found.startswith(f"config/{SUPERVISED}: exemplars: got ")
    assert found.endswith(f"; {said}")


def test_a_label_budget_is_no_larger_than_the_training_queries(copy):
    replace(copy / SUPERVISED, "labels: 10", "labels: 176")
    Study(copy, read_yaml(copy / "config.yaml"))
    replace(copy / SUPERVISED, "labels: 176", "labels: 177")
    assert problem(copy) == (
        f"config/{SUPERVISED}: exemplars.labels: got 177; corpus 'python-headings' has 176 training queries, state at "
        "most as many"
    )


def test_exemplars_are_whole_at_full_size_and_cut_for_the_small_model_alone(study):
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
