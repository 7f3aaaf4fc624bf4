"""A study: every name that is used exists, and the patterns match the names that exist and no others."""

import re
import shutil

import pytest

from synthrank.errors import ConfigError
from synthrank.specs.base import read_yaml
from synthrank.specs.experiment import Experiment
from synthrank.specs.paradigms import GeneratedParadigm, HumanParadigm
from synthrank.specs.retrievers import Bm25, Dense
from synthrank.study import KINDS, Study


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
    return str(error.value).replace(str(folder), "config")


def test_the_committed_experiment(study, config):
    for kind, entities in study.entities.items():
        files = sorted(path.stem for path in (config / kind).glob("*.yaml"))
        assert sorted(name for name in entities if "@" not in name) == files, kind
    assert list(study.experiment.recipes)[:2] == ["human", "zero-shot"]
    assert list(study.prompts) == sorted(path.stem for path in (config / "prompts").glob("*.md"))


def test_a_recipe_named_with_a_size_has_so_many_queries_of_each_paradigm(copy):
    study = Study(copy, experiment(copy, recipes=["human@7"], sizes={"recipes": ["human-zero-shot"], "queries": [5]}))
    recipes = study.entities["recipes"]
    assert [item.queries for item in recipes["human@7"].positives] == [7]
    assert [item.queries for item in recipes["human-zero-shot@5"].positives] == [5, 5]
    assert recipes["human@7"].negatives == recipes["human"].negatives
    assert re.fullmatch(study.pattern("recipes"), "human-zero-shot@5")
    assert not re.fullmatch(study.pattern("recipes"), "human-zero-shot@6")


def test_every_recipe_of_the_passage_study_is_known_once(copy):
    recipes = Study(copy, experiment(copy)).recipes
    assert len(recipes) == len(set(recipes))
    assert set(recipes) >= {"human", "human@80", "human-zero-shot@80", "zero-shot@40"}
    bare = experiment(copy, recipes=["human"], claims=None, enrichment=None, sizes=None)
    assert Study(copy, bare).recipes == ["human"]


def test_a_recipe_without_sizes_and_an_unknown_one_with_a_size(copy):
    assert problem(copy, recipes=["order@5"]) == (
        "experiment: recipes: got 'order@5'; a recipe of kind order has no other sizes, take 'order'"
    )
    assert "got 'nosuch@5'; no such file in config/recipes" in problem(copy, recipes=["nosuch@5"])
    assert problem(copy, recipes=["human@0"]).startswith("experiment: recipes.0: got 'human@0'; ")


@pytest.mark.parametrize(
    ("key", "kind"),
    [("recipes", "recipes"), ("rankers", "rankers"), ("suites", "suites"), ("llms", "llms"),
     ("first_stages", "retrievers")],
)  # fmt: skip
def test_an_unknown_name_in_the_experiment(copy, key, kind):
    known = ", ".join(sorted(path.stem for path in (copy / kind).glob("*.yaml")))
    assert problem(copy, **{key: ["nosuch"]}) == (
        f"experiment: {key}: got 'nosuch'; no such file in config/{kind} (known: {known})"
    )


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
def test_an_unknown_name_in_an_entity(copy, path, old, key, kind):
    known = ", ".join(sorted(path.stem for path in (copy / kind).glob("*.yaml")))
    replace(copy / path, old, f"{old.split(':')[0]}: nosuch")
    assert problem(copy) == f"config/{path}: {key}: got 'nosuch'; no such file in config/{kind} (known: {known})"


def test_an_unknown_prompt_and_an_unknown_test_set(copy):
    known = ", ".join(sorted(path.stem for path in (copy / "testsets").glob("*.yaml")))
    replace(copy / "suites/faq.yaml", "lxml", "nosuch")
    assert problem(copy) == (
        f"config/suites/faq.yaml: testsets: got 'nosuch'; no such file in config/testsets (known: {known})"
    )
    replace(copy / "paradigms/zero-shot.yaml", "prompt: passage-zero-shot", "prompt: nosuch")
    assert problem(copy) == (
        "config/paradigms/zero-shot.yaml: prompt: got 'nosuch'; no such file in config/prompts "
        f"(known: {', '.join(sorted(path.stem for path in (copy / 'prompts').glob('*.md')))})"
    )


def test_an_unknown_split(copy):
    replace(copy / "testsets/celery.yaml", "split: test", "split: dev")
    assert problem(copy) == "config/testsets/celery.yaml: split: corpus 'celery' has no split 'dev' (known: test)"


def test_a_recipe_needs_a_training_split(copy):
    replace(copy / "recipes/human.yaml", "corpus: python-headings", "corpus: celery")
    assert problem(copy) == "config/recipes/human.yaml: split: corpus 'celery' has no split 'train' (known: test)"


def test_a_split_and_an_augmentation_must_differ(copy):
    shutil.copy(copy / "augmentations/titles.yaml", copy / "augmentations/test.yaml")
    assert re.fullmatch(
        r"config/corpora/[a-z-]+\.yaml: splits: 'test' is the name of an augmentation too", problem(copy)
    )


def test_a_generated_positive_has_no_score_in_a_run_over_the_corpus(copy):
    for name in ("human", "zero-shot"):
        replace(copy / f"recipes/{name}.yaml", "known_positives: true", "max_share_of_positive: 0.95")
    assert problem(copy) == (
        "config/recipes/zero-shot.yaml: negatives.guard.scored_by: is not stated, but no run over the corpus holds the "
        "passages of paradigm 'zero-shot', so max_share_of_positive has no score of theirs; "
        "name a dense retriever there"
    )
    replace(copy / "recipes/zero-shot.yaml", "    max_share", "    scored_by: bm25\n    max_share")
    assert problem(copy) == "config/recipes/zero-shot.yaml: negatives.guard.scored_by: got 'bm25'; it must be dense"
    replace(copy / "recipes/zero-shot.yaml", "scored_by: bm25", "scored_by: minilm")
    Study(copy, read_yaml(copy / "config.yaml"))


def test_rewordings_and_passages_of_the_same_collection_have_scores(copy):
    for name in ("llama2", "llama2-human-negatives", "human-llama2"):
        path = copy / f"recipes/nfcorpus-shared-{name}.yaml"
        replace(path, "  count: 7\n", "  count: 7\n  guard: {max_share_of_positive: 0.95}\n")
    replace(copy / "recipes/zero-shot.yaml", "known_positives: true", "max_share_of_positive: 0.95")
    replace(copy / "recipes/zero-shot.yaml", "source: human", "source: same")
    Study(copy, read_yaml(copy / "config.yaml"))


def test_a_teacher_must_be_dense(copy):
    replace(copy / "recipes/warm-up.yaml", "teacher: minilm", "teacher: bm25")
    assert problem(copy) == "config/recipes/warm-up.yaml: teacher: got 'bm25'; it must be dense"


def test_some_names_are_reserved(copy):
    """Names of every kind are refused by the same pattern."""
    wrong = [("recipes", name) for name in ("Human", "a_b", "a b", "-a")]
    for kind, name in [*wrong, *((kind, "none") for kind in KINDS)]:
        path = copy / kind / f"{name}.yaml"
        shutil.copy(next((copy / kind).glob("*.yaml")), path)
        assert problem(copy) == (
            f"config/{kind}/{name}.yaml: {name!r} cannot be a name; use lower-case kebab, and not 'none'"
        )
        path.unlink()


def test_a_broken_entity_that_nothing_uses_is_still_named(copy):
    (copy / "models/spare.yaml").write_text("source: hub\nrepo: a/b\n")
    assert problem(copy) == "config/models/spare.yaml: revision: is missing; it must be stated"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"seed": [1]},
            f"experiment: seed: unknown key; known keys here: {', '.join(sorted(Experiment.model_fields))}",
        ),
        ({"recipes": []}, "experiment: recipes: got []; tuple should have at least 1 item after validation, not 0"),
        ({"recipes": "human"}, "experiment: recipes: got 'human'; input should be a valid tuple"),
        (
            {"seeds": ["a"]},
            "experiment: seeds.0: got 'a'; input should be a valid integer, unable to parse string as an integer "
            "(and 1 more)",
        ),
        (
            {"intervals": {"confidence": 1.0}},
            "experiment: intervals.confidence: got 1.0; input should be less than 1",
        ),
        (
            {"llms": []},
            "experiment: llms: is empty, but a recipe has generated passages; name at least one LLM",
        ),
    ],
)
def test_a_wrong_experiment_is_one_line(copy, changed, said):
    assert problem(copy, **changed) == said


def test_human_recipes_need_no_llm(copy):
    none = dict.fromkeys(("claims", "enrichment", "sizes"))
    assert Study(copy, experiment(copy, llms=[], recipes=["human", "warm-up"], **none)).experiment.llms == ()


def test_who_writes(study):
    assert [name for name in study.entities["paradigms"] if not study.writes(name)] == [
        "human", "inpars", "llama2-rewrite", "msmarco-inpars", "msmarco-promptagator", "promptagator"
    ]  # fmt: skip
    made = {name: study.is_generated(name) for name in study.entities["recipes"]}
    assert {name for name in ("human", "zero-shot", "human-zero-shot", "warm-up") if made[name]} == {
        "zero-shot", "human-zero-shot",
    }  # fmt: skip


def matches(pattern, names):
    return [name for name in names if re.fullmatch(pattern, name)]


def test_patterns_match_the_names_and_nothing_else(study):
    candidates = ["bm25", "minilm", "bm2", "bm25x", "none", "bm25|minilm", ""]
    assert matches(study.pattern("retrievers"), candidates) == ["bm25", "minilm"]
    assert matches(study.pattern("retrievers", "none"), candidates) == ["bm25", "minilm", "none"]
    assert matches(study.pattern_of("retrievers", Dense), candidates) == ["minilm"]
    assert matches(study.pattern_of("retrievers", Bm25), candidates) == ["bm25"]
    assert matches(study.pattern_of("paradigms", HumanParadigm), study.entities["paradigms"]) == ["human"]
    assert sorted(matches(study.pattern_of("paradigms", GeneratedParadigm), study.entities["paradigms"])) == [
        *(f"few-shot-{kind}{size}" for kind in ("supervised", "unsupervised") for size in ("", "-k3", "-k8")),
        "zero-shot",
    ]  # fmt: skip
    rankers = [*study.entities["rankers"], "none", "cross-encoders"]
    reordering, searching = (matches(study.ranker_pattern(reorder=reorder), rankers) for reorder in (True, False))
    assert {"cross-encoder", "student"} <= set(reordering)
    assert {"bi-encoder", "student-bi-encoder"} <= set(searching)
    assert sorted([*reordering, *searching]) == sorted(study.entities["rankers"]), "one rule makes the suites of each"
    assert matches(study.split_pattern, ["train", "dev", "test", "tes", "titles"]) == ["train", "dev", "test"]


def test_a_dot_in_a_name_is_no_wildcard(copy):
    shutil.copy(copy / "llms/echo.yaml", copy / "llms/echo-1.5.yaml")
    pattern = Study(copy, experiment(copy)).pattern("llms")
    assert matches(pattern, ["echo-1.5", "echo-1x5"]) == ["echo-1.5"]


def test_no_name_gives_a_pattern_that_never_matches(copy):
    found = Study(copy, experiment(copy))
    found.entities["augmentations"] = {}
    assert matches(found.pattern("augmentations"), ["", "titles", "?"]) == []


def test_every_committed_experiment_is_one(config):
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
def test_parts_of_one_file_must_not_share_queries(copy, old, new):
    replace(copy / "corpora/trec-dl20-pool.yaml", old, new)
    assert problem(copy) == (
        "config/corpora/trec-dl20-pool.yaml: splits: 'train' and 'dev' share queries of qrels-full.txt; state one "
        "seed, and shares that meet but do not overlap"
    )


def test_parts_of_two_files_share_nothing(copy):
    replace(
        copy / "corpora/trec-dl20-pool.yaml", "file: qrels-full.txt, start: 0.8", "file: qrels/test.tsv, start: 0.1"
    )
    Study(copy, experiment(copy))


def test_what_is_tested_on_does_not_train(copy):
    replace(copy / "recipes/dl20-teacher.yaml", "split: train", "split: dev")
    assert problem(copy) == (
        "config/recipes/dl20-teacher.yaml: split: got 'dev'; test set 'dl20-dev' tests on it, so it must not train"
    )
    replace(copy / "recipes/dl20-teacher.yaml", "split: dev", "split: nosuch")
    assert "recipes/dl20-teacher.yaml: split: corpus 'trec-dl20-pool' has no split 'nosuch'" in problem(copy)


def test_a_ranking_by_log_probabilities_needs_an_llm_that_gives_them(copy):
    (copy / "recipes/scored.yaml").write_text(
        "kind: order\ncorpus: python-faq\nqueries: train\npool: nosuch\nranking: query-likelihood\n"
    )
    replace(copy / "recipes/scored.yaml", "nosuch", min(path.stem for path in (copy / "pools").glob("*.yaml")))
    rankers = experiment(copy)["rankers"][:1]
    twolar = {"recipes": ["scored"], "rankers": rankers, "llms": ["smollm2-135m", "gpt-4.1-mini"]}
    assert problem(copy, twolar=twolar) == (
        "config/recipes/scored.yaml: ranking: 'query-likelihood' takes log-probabilities, which the hosted LLM "
        "'gpt-4.1-mini' does not give; take a local LLM, or a ranking that reads what is written"
    )
    Study(copy, experiment(copy, twolar={**twolar, "llms": ["smollm2-135m"]}))
    replace(copy / "recipes/scored.yaml", "query-likelihood", "listwise-30")
    Study(copy, experiment(copy, twolar=twolar))


def mixture(folder, name, *parts):
    stated = "".join(f"  - {{augmentation: {part}, count: 2}}\n" for part in parts)
    (folder / f"augmentations/{name}.yaml").write_text(f"kind: mixture\nparts:\n{stated}")


def test_a_mixture_is_no_part_of_itself(copy):
    mixture(copy, "all", "titles", "crop")
    mixture(copy, "more", "all", "titles")
    Study(copy, experiment(copy))
    mixture(copy, "all", "titles", "all")
    said = "config/augmentations/all.yaml: parts: the mixture is a part of itself; a part must be made before the whole"
    assert problem(copy) == said
    mixture(copy, "all", "titles", "more")
    assert problem(copy) == said


def test_a_part_of_a_mixture_is_named_once(copy):
    mixture(copy, "all", "titles", "crop", "crop")
    assert problem(copy) == (
        "config/augmentations/all.yaml: parts: 'crop' is named twice; name it once, with the sum of both counts"
    )
    mixture(copy, "all", "titles", "nosuch")
    assert problem(copy).startswith("config/augmentations/all.yaml: parts.augmentation: got 'nosuch'; no such file")
