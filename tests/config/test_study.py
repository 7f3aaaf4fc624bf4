"""A study: all names exist, files fit together, and patterns match exactly the existing names."""

import re
import shutil

import pytest

from synthrank.config.base import read_yaml
from synthrank.config.study import KINDS, Study
from synthrank.errors import ConfigError


@pytest.fixture
def copy(tmp_path, config):
    """A copy of the committed configuration to break."""
    return shutil.copytree(config, tmp_path / "config")


def experiment(folder, **changed):
    return {**read_yaml(folder / "config.yaml"), **changed}


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def problem(folder, **changed):
    with pytest.raises(ConfigError) as error:
        Study(folder, experiment(folder, **changed))
    assert "\n" not in str(error.value)
    return re.sub(r"(?<=\.yaml):\d+", "", str(error.value)).replace(str(folder), "config")


def test_the_committed_experiment(study, config):
    for kind, entities in study.entities.items():
        files = sorted(path.stem for path in (config / kind).glob("*.yaml"))
        assert sorted(name for name in entities if "@" not in name) == files, kind
    assert list(study.experiment.recipes)[:2] == ["human", "zero-shot"]
    assert list(study.prompts) == sorted(path.stem for path in (config / "prompts").glob("*.md"))


def test_a_recipe_with_a_size_has_this_number_of_queries_per_paradigm(copy):
    study = Study(copy, experiment(copy, recipes=["human@7"], sizes={"recipes": ["human-zero-shot"], "queries": [5]}))
    recipes = study.entities["recipes"]
    assert [item.queries for item in recipes["human@7"].positives] == [7]
    assert [item.queries for item in recipes["human-zero-shot@5"].positives] == [5, 5]
    assert recipes["human@7"].negatives == recipes["human"].negatives
    assert re.fullmatch(study.pattern("recipes"), "human-zero-shot@5")
    assert not re.fullmatch(study.pattern("recipes"), "human-zero-shot@6")


def test_recipes_has_every_recipe_of_the_passage_study_once(copy):
    recipes = Study(copy, experiment(copy)).recipes
    assert len(recipes) == len(set(recipes))
    assert set(recipes) >= {"human", "human@80", "human-zero-shot@80", "zero-shot@40"}
    bare = experiment(copy, recipes=["human"], claims=None, enrichment=None, sizes=None)
    assert Study(copy, bare).recipes == ["human"]


def test_a_size_of_an_order_recipe_or_an_unknown_recipe_is_refused(copy):
    assert problem(copy, recipes=["order@5"]) == (
        "experiment: recipes: a recipe of kind order has no other sizes, but is named 'order@5'; use 'order'"
    )
    assert "no recipe named 'nosuch@5' in config/recipes" in problem(copy, recipes=["nosuch@5"])
    assert problem(copy, recipes=["human@0"]).startswith("experiment: recipes.0: invalid name 'human@0'; use ")


@pytest.mark.parametrize(
    ("key", "kind", "singular"),
    [("recipes", "recipes", "recipe"), ("rankers", "rankers", "ranker"), ("suites", "suites", "suite"),
     ("llms", "llms", "LLM"), ("first_stages", "retrievers", "retriever")],
)  # fmt: skip
def test_an_unknown_name_in_the_experiment_is_refused_with_the_known_names(copy, key, kind, singular):
    known = ", ".join(sorted(path.stem for path in (copy / kind).glob("*.yaml")))
    assert problem(copy, **{key: ["nosuch"]}) == (
        f"experiment: {key}: no {singular} named 'nosuch' in config/{kind} (known: {known})"
    )


def test_unknown_names_are_refused_together_with_the_closest_names(copy):
    path = copy / "config.yaml"
    replace(copy / "recipes/human.yaml", "retriever: bm25", "retriever: bm26")
    with pytest.raises(ConfigError) as error:
        Study(copy, experiment(copy, recipes=["human", "zero-shott"]), str(path))
    recipes = path.read_text()[: path.read_text().index("\nrecipes:")].count("\n") + 2
    assert str(error.value).replace(str(copy), "config").splitlines() == [
        f"config/config.yaml:{recipes}: recipes: no recipe named 'zero-shott' in config/recipes; did you "
        "mean 'zero-shot'?",
        "config/recipes/human.yaml:9: negatives.retriever: no retriever named 'bm26' in config/retrievers; did you "
        "mean "
        "'bm25'?",
    ]


@pytest.mark.parametrize(
    ("path", "old", "key", "kind"),
    [
        ("recipes/human.yaml", "corpus: python-headings", "corpus", "corpora"),
        ("recipes/human.yaml", "paradigm: human", "positives.paradigm", "paradigms"),
        ("recipes/human.yaml", "retriever: bm25", "negatives.retriever", "retrievers"),
        ("recipes/warm-up.yaml", "queries: titles", "queries", "augmentations"),
        ("recipes/warm-up.yaml", "retriever: bm25", "retriever", "retrievers"),
        ("recipes/warm-up.yaml", "teacher: minilm", "teacher", "retrievers"),
        ("rankers/cross-encoder.yaml", "recipe: warm-up", "base.recipe", "recipes"),
        ("rankers/cross-encoder.yaml", "ranker: cross-encoder-warm-up", "base.ranker", "rankers"),
        ("rankers/cross-encoder.yaml", "retriever: bm25", "rerank.retriever", "retrievers"),
        ("rankers/bi-encoder.yaml", "model: all-minilm-l6-v2", "base.model", "models"),
        ("llms/smollm2-135m.yaml", "model: smollm2-135m", "model", "models"),
        ("retrievers/minilm.yaml", "model: all-minilm-l6-v2", "model", "models"),
        ("testsets/celery.yaml", "corpus: celery", "corpus", "corpora"),
    ],
)
def test_an_unknown_name_in_an_entity_is_refused_with_the_known_names(copy, path, old, key, kind):
    known = ", ".join(sorted(path.stem for path in (copy / kind).glob("*.yaml")))
    replace(copy / path, old, f"{old.split(':')[0]}: nosuch")
    singular = {"corpora": "corpus", "llms": "LLM"}.get(kind, kind[:-1])
    assert problem(copy) == f"config/{path}: {key}: no {singular} named 'nosuch' in config/{kind} (known: {known})"


def test_an_unknown_prompt_and_an_unknown_test_set_are_refused(copy):
    known = ", ".join(sorted(path.stem for path in (copy / "testsets").glob("*.yaml")))
    replace(copy / "suites/faq.yaml", "lxml", "nosuch")
    assert problem(copy) == (
        f"config/suites/faq.yaml: testsets: no test set named 'nosuch' in config/testsets (known: {known})"
    )
    replace(copy / "suites/faq.yaml", "nosuch", "lxml")
    replace(copy / "paradigms/zero-shot.yaml", "prompt: passage-zero-shot", "prompt: nosuch")
    assert problem(copy) == (
        "config/paradigms/zero-shot.yaml: prompt: no prompt named 'nosuch' in config/prompts "
        f"(known: {', '.join(sorted(path.stem for path in (copy / 'prompts').glob('*.md')))})"
    )


def test_an_unknown_split_is_refused_with_the_known_splits(copy):
    replace(copy / "testsets/celery.yaml", "split: test", "split: dev")
    assert problem(copy) == "config/testsets/celery.yaml: split: corpus 'celery' has no split 'dev' (known: test)"


def test_a_recipe_needs_a_training_split(copy):
    replace(copy / "recipes/human.yaml", "corpus: python-headings", "corpus: celery")
    assert problem(copy) == "config/recipes/human.yaml: split: corpus 'celery' has no split 'train' (known: test)"


def test_a_split_with_the_name_of_an_augmentation_is_refused(copy):
    shutil.copy(copy / "augmentations/titles.yaml", copy / "augmentations/test.yaml")
    assert re.fullmatch(
        r"config/corpora/[a-z-]+\.yaml: splits: 'test' is also an augmentation; rename one", problem(copy)
    )


def test_a_guard_by_scores_needs_a_dense_retriever_for_generated_positives(copy):
    for name in ("human", "zero-shot"):
        replace(copy / f"recipes/{name}.yaml", "known_positives: true", "max_share_of_positive: 0.95")
    assert problem(copy) == (
        "config/recipes/zero-shot.yaml: missing key 'negatives.guard.scored_by': max_share_of_positive needs scores, "
        "but no run contains the passages of paradigm 'zero-shot'; state a dense retriever"
    )
    replace(copy / "recipes/zero-shot.yaml", "    max_share", "    scored_by: bm25\n    max_share")
    assert problem(copy) == "config/recipes/zero-shot.yaml: negatives.guard.scored_by: 'bm25' must be a dense retriever"
    replace(copy / "recipes/zero-shot.yaml", "scored_by: bm25", "scored_by: minilm")
    Study(copy, read_yaml(copy / "config.yaml"))


def test_a_guard_by_scores_accepts_reworded_positives_and_the_source_same(copy):
    for name in ("llama2", "llama2-human-negatives", "human-llama2"):
        path = copy / f"recipes/nfcorpus-shared-{name}.yaml"
        replace(path, "  count: 7\n", "  count: 7\n  guard: {max_share_of_positive: 0.95}\n")
    replace(copy / "recipes/zero-shot.yaml", "known_positives: true", "max_share_of_positive: 0.95")
    replace(copy / "recipes/zero-shot.yaml", "source: human", "source: same")
    Study(copy, read_yaml(copy / "config.yaml"))


def test_a_teacher_that_is_not_dense_is_refused(copy):
    replace(copy / "recipes/warm-up.yaml", "teacher: minilm", "teacher: bm25")
    assert problem(copy) == "config/recipes/warm-up.yaml: teacher: 'bm25' must be a dense retriever"


def test_an_invalid_file_name_is_refused(copy):
    """All kinds use the same pattern."""
    wrong = [("recipes", name) for name in ("Human", "a_b", "a b", "-a")]
    for kind, name in [*wrong, *((kind, "none") for kind in KINDS)]:
        path = copy / kind / f"{name}.yaml"
        shutil.copy(next((copy / kind).glob("*.yaml")), path)
        assert problem(copy) == (
            f"config/{kind}/{name}.yaml: invalid name {name!r}; use lower-case letters and digits, with single hyphens "
            "or dots between them ('none' is reserved)"
        )
        path.unlink()


def test_an_invalid_entity_that_nothing_uses_is_refused(copy):
    (copy / "models/spare.yaml").write_text("source: hub\nrepo: a/b\n")
    assert problem(copy) == "config/models/spare.yaml: missing key 'revision'"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"seed": [1]},
            "experiment: unknown key 'seed'; did you mean 'seeds'?",
        ),
        ({"recipes": []}, "experiment: recipes needs at least 1 item"),
        ({"recipes": "human"}, "experiment: recipes must be a list, e.g. [human]; got 'human'"),
        (
            {"seeds": ["a"]},
            "experiment: seeds.0 must be a whole number; got 'a'",
        ),
        (
            {"intervals": {"confidence": 1.0}},
            "experiment: intervals.confidence must be less than 1; got 1.0",
        ),
        (
            {"llms": []},
            "experiment: llms: is empty, but a recipe has generated passages; state at least one LLM",
        ),
    ],
)
def test_an_invalid_experiment_is_refused_with_one_line(copy, changed, message):
    assert problem(copy, **changed) == message


def test_human_recipes_need_no_llm(copy):
    none = dict.fromkeys(("claims", "enrichment", "sizes"))
    assert Study(copy, experiment(copy, llms=[], recipes=["human", "warm-up"], **none)).experiment.llms == ()


def test_writes_and_is_generated_of_committed_paradigms_and_recipes(study):
    assert [name for name in study.entities["paradigms"] if not study.writes(name)] == [
        "human", "inpars", "llama2-rewrite", "msmarco-inpars", "msmarco-promptagator", "promptagator"
    ]  # fmt: skip
    made = {name: study.is_generated(name) for name in study.entities["recipes"]}
    assert {name for name in ("human", "zero-shot", "human-zero-shot", "warm-up") if made[name]} == {
        "zero-shot", "human-zero-shot",
    }  # fmt: skip


def matches(pattern, names):
    return [name for name in names if re.fullmatch(pattern, name)]


def test_patterns_match_exactly_the_names(study):
    candidates = ["bm25", "minilm", "bm2", "bm25x", "none", "bm25|minilm", ""]
    assert matches(study.pattern("retrievers"), candidates) == ["bm25", "minilm"]
    assert matches(study.pattern("retrievers", "none"), candidates) == ["bm25", "minilm", "none"]
    assert matches(study.pattern("retrievers", kind="dense"), candidates) == ["minilm"]
    assert matches(study.pattern("retrievers", kind="bm25"), candidates) == ["bm25"]
    assert matches(study.pattern("paradigms", kind="human"), study.entities["paradigms"]) == ["human"]
    assert sorted(matches(study.pattern("paradigms", kind=("generated",)), study.entities["paradigms"])) == [
        *(f"few-shot-{kind}{size}" for kind in ("supervised", "unsupervised") for size in ("", "-k3", "-k8")),
        "zero-shot",
    ]  # fmt: skip
    rankers = [*study.entities["rankers"], "none", "cross-encoders"]
    reordering, searching = (matches(study.ranker_pattern(reorder=reorder), rankers) for reorder in (True, False))
    assert {"cross-encoder", "student"} <= set(reordering)
    assert {"bi-encoder", "student-bi-encoder"} <= set(searching)
    assert sorted([*reordering, *searching]) == sorted(study.entities["rankers"]), (
        "every ranker belongs to one of two rules"
    )
    assert matches(study.split_pattern, ["train", "dev", "test", "tes", "titles"]) == ["train", "dev", "test"]


def test_pattern_matches_a_dot_literally(copy):
    shutil.copy(copy / "llms/echo.yaml", copy / "llms/echo-1.5.yaml")
    pattern = Study(copy, experiment(copy)).pattern("llms")
    assert matches(pattern, ["echo-1.5", "echo-1x5"]) == ["echo-1.5"]


def test_pattern_without_names_never_matches(copy):
    found = Study(copy, experiment(copy))
    found.entities["augmentations"] = {}
    assert matches(found.pattern("augmentations"), ["", "titles", "?"]) == []


def test_every_committed_experiment_is_valid(config):
    named = [config / f"{name}.yaml" for name in ("config", "study", "paper")]
    found = [*named, *sorted((config / "experiments").glob("*.yaml"))]
    for path in found:
        if path.is_file():
            Study(config, read_yaml(path))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("start: 0.8, end: 1", "start: 0.7, end: 1"),
        ("start: 0.8, end: 1", "start: 0.8, end: 1, seed: 14"),
        ("{file: qrels-full.txt, start: 0.8, end: 1}", "qrels-full.txt"),
    ],
)
def test_parts_of_one_file_with_common_queries_are_refused(copy, old, new):
    replace(copy / "corpora/trec-dl20-pool.yaml", old, new)
    assert problem(copy) == (
        "config/corpora/trec-dl20-pool.yaml: splits: 'train' and 'dev' share queries of qrels-full.txt; state the "
        "same seed and ranges that do not overlap"
    )


def test_parts_of_two_files_are_accepted(copy):
    replace(
        copy / "corpora/trec-dl20-pool.yaml", "file: qrels-full.txt, start: 0.8", "file: qrels/test.tsv, start: 0.1"
    )
    Study(copy, experiment(copy))


def test_training_on_the_split_of_a_test_set_is_refused(copy):
    replace(copy / "recipes/dl20-teacher.yaml", "split: train", "split: dev")
    assert problem(copy) == (
        "config/recipes/dl20-teacher.yaml: split: test set 'dl20-dev' tests on split 'dev'; train on another split"
    )
    replace(copy / "recipes/dl20-teacher.yaml", "split: dev", "split: nosuch")
    assert "recipes/dl20-teacher.yaml: split: corpus 'trec-dl20-pool' has no split 'nosuch'" in problem(copy)


def test_a_ranking_by_log_probabilities_refuses_a_hosted_llm(copy):
    (copy / "recipes/scored.yaml").write_text(
        "kind: order\ncorpus: python-faq\nqueries: train\npool: nosuch\nranking: query-likelihood\n"
    )
    replace(copy / "recipes/scored.yaml", "nosuch", min(path.stem for path in (copy / "pools").glob("*.yaml")))
    rankers = experiment(copy)["rankers"][:1]
    twolar = {"recipes": ["scored"], "rankers": rankers, "llms": ["smollm2-135m", "gpt-4.1-mini"]}
    assert problem(copy, twolar=twolar) == (
        "config/recipes/scored.yaml: ranking: 'query-likelihood' needs log-probabilities, which the hosted LLM "
        "'gpt-4.1-mini' does not return; use a local LLM or a ranking with text replies"
    )
    Study(copy, experiment(copy, twolar={**twolar, "llms": ["smollm2-135m"]}))
    replace(copy / "recipes/scored.yaml", "query-likelihood", "listwise-30")
    Study(copy, experiment(copy, twolar=twolar))


def mixture(folder, name, *parts):
    stated = "".join(f"  - {{augmentation: {part}, count: 2}}\n" for part in parts)
    (folder / f"augmentations/{name}.yaml").write_text(f"kind: mixture\nparts:\n{stated}")


def test_a_mixture_that_contains_itself_is_refused(copy):
    mixture(copy, "all", "titles", "crop")
    mixture(copy, "more", "all", "titles")
    Study(copy, experiment(copy))
    mixture(copy, "all", "titles", "all")
    message = "config/augmentations/all.yaml: parts: the mixture contains itself; remove the part that leads back to it"
    assert problem(copy) == message
    mixture(copy, "all", "titles", "more")
    assert problem(copy) == message


def test_a_repeated_or_unknown_part_of_a_mixture_is_refused(copy):
    mixture(copy, "all", "titles", "crop", "crop")
    assert problem(copy) == (
        "config/augmentations/all.yaml: parts: 'crop' occurs twice; state it once, with the sum of both counts"
    )
    mixture(copy, "all", "titles", "nosuch")
    assert problem(copy).startswith("config/augmentations/all.yaml: parts.augmentation: no augmentation named 'nosuch'")
