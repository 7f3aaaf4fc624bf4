"""Imported, graded and several passages in a study: which file is made from which, what does not fit, what is asked."""

import re
import shutil
from types import SimpleNamespace

import pytest

from synthrank.errors import ConfigError
from synthrank.files import write_jsonl
from synthrank.needs import Needs
from synthrank.plan import plan
from synthrank.records import Message, Request
from synthrank.specs.base import read_yaml
from synthrank.specs.corpora import BuiltCorpus, MixedCorpus
from synthrank.specs.paradigms import Asked, HumanParadigm, ImportedParadigm, QueriedParadigm
from synthrank.specs.recipes import GradedRecipe
from synthrank.study import Study


def at(**names):
    return SimpleNamespace(**names)


@pytest.fixture
def copy(tmp_path, config):
    """A copy of the committed configuration to change."""
    return shutil.copytree(config, tmp_path / "config")


SECTIONS = ("claims", "enrichment", "sizes", "validity", "bias", "twolar")


def study_of(folder, **changed):
    """Return a study without the sections of the committed experiment, whose recipes are beside the point."""
    return Study(folder, {**read_yaml(folder / "config.yaml"), **dict.fromkeys(SECTIONS), **changed})


def write(folder, path, text):
    (folder / path).write_text(text, encoding="utf-8")


def problem(folder, **changed):
    with pytest.raises(ConfigError) as error:
        study_of(folder, **changed)
    assert "\n" not in str(error.value)
    return str(error.value).replace(str(folder), "config")


PAIRS = """kind: pairs
corpus: nfcorpus
positives: [{{paradigm: {paradigm}, queries: 5}}]
negatives: {{source: {source}, retriever: bm25}}
"""
RUNS = "results/runs/corpora/nfcorpus/bm25/train.trec"
CORPUS = "results/corpora/nfcorpus/passages.jsonl"


@pytest.mark.parametrize(
    ("by", "source", "run", "passages", "reworded"),
    [
        ("passage", "human", RUNS, CORPUS, []),
        ("passage", "same", RUNS, "results/passages/nfcorpus/own/draw-0/none/collection.jsonl", ["own"]),
        ("query", "human", RUNS, CORPUS, []),
        (
            "query", "same", "results/runs/passages/nfcorpus/own/draw-0/none/bm25/train.trec",
            "results/passages/nfcorpus/own/draw-0/none/passages.jsonl", [],
        ),
    ],
)  # fmt: skip
def test_negatives_of_an_imported_paradigm(copy, by, source, run, passages, reworded):
    write(copy, "paradigms/own.yaml", f"kind: imported\nfile: own/texts.jsonl\nby: {by}\nwritten_by: me\n")
    write(copy, "recipes/own.yaml", PAIRS.format(paradigm="own", source=source))
    needs, job = Needs(study_of(copy)), at(recipe="own", llm="none", draw="1")
    assert needs.positives(job) == ["results/passages/nfcorpus/own/draw-0/none/passages.jsonl"]
    assert (needs.negative_runs(job), needs.negative_passages(job)) == ([run], [passages])
    assert needs.reworded(job) == reworded


def test_an_imported_paradigm_needs_no_llm_and_reads_its_file(copy, monkeypatch):
    monkeypatch.setenv("SYNTHRANK_DATA", "/texts")
    study = study_of(copy)
    needs, job = Needs(study), at(corpus="nfcorpus", paradigm="llama2-rewrite")
    assert not study.writes("llama2-rewrite")
    assert needs.imported_file(job) == "/texts/nfcorpus-llm/corpus.jsonl"
    assert needs.training_queries(job) == ["results/corpora/nfcorpus/train/queries.jsonl"]
    assert needs.training_qrels(job) == ["results/corpora/nfcorpus/train/qrels.txt"]
    assert needs.training_queries(at(corpus="trec-dl19-pool", paradigm="llama2-rewrite")) == []


def test_every_paradigm_and_corpus_is_made_by_one_rule(study):
    for kind, models in (
        ("paradigms", (HumanParadigm, Asked, ImportedParadigm, QueriedParadigm)),
        ("corpora", (BuiltCorpus, MixedCorpus)),
    ):
        patterns = [re.compile(study.pattern_of(kind, model)) for model in models]
        for name in study.entities[kind]:
            assert sum(bool(pattern.fullmatch(name)) for pattern in patterns) == 1, name


def test_a_graded_recipe(study):
    needs, job = Needs(study), at(recipe="graded", llm="echo", draw="1")
    assert needs.pair_queries(job) == ["results/corpora/python-headings/train/queries.jsonl"]
    assert needs.positives(job) == ["results/passages/python-headings/graded/draw-0/echo/passages.jsonl"]
    assert needs.pair_filters(job) == needs.reworded(job) == needs.pair_teacher(job) == []
    assert needs.negative_runs(job) == ["results/runs/corpora/python-headings/bm25/train.trec"]
    assert needs.negative_passages(job) == ["results/corpora/python-headings/passages.jsonl"]
    splits = [f"results/corpora/python-headings/{split}/qrels.txt" for split in ("dev", "test")]
    assert needs.held_out_qrels(at(recipe="graded")) == splits
    assert study.is_generated("graded")
    assert ("msmarco-passage", "graded") in study.generated(["msmarco-graded"])


def test_a_graded_recipe_without_negatives_reads_no_run(copy):
    write(copy, "recipes/bare.yaml", "kind: graded\ncorpus: python-faq\nparadigm: graded\nqueries: 4\n")
    needs, job = Needs(study_of(copy)), at(recipe="bare", llm="echo", draw="1")
    assert (needs.negative_runs(job), needs.negative_passages(job)) == ([], [])


def test_graded_recipes_have_sizes(copy):
    sizes = {"recipes": ["graded"], "queries": [12]}
    study = study_of(copy, rankers=["student-listnet"], sizes=sizes)
    sized = study.entities["recipes"]["graded@12"]
    assert isinstance(sized, GradedRecipe)
    assert sized.queries == 12
    job = at(recipe="graded@12", llm="echo", draw="1")
    assert Needs(study).recipe_size(job) == 12
    assert Needs(study).recipe_spec(job).endswith("recipes/graded.yaml")


# Mixed corpora, and those whose answers may train


def test_a_mixed_corpus(study, config):
    needs, job = Needs(study), at(corpus="nfcorpus-mixed", split="test")
    assert needs.mixed_originals(job) == "results/corpora/nfcorpus-shared/passages.jsonl"
    assert needs.mixed_rewritten(job) == "results/passages/nfcorpus-shared/llama2-rewrite/draw-0/none/collection.jsonl"
    assert needs.mixed_queries(job) == "results/corpora/nfcorpus-shared/test/queries.jsonl"
    assert needs.mixed_qrels(job) == "results/corpora/nfcorpus-shared/test/qrels.txt"
    assert needs.mixed_corpora(at(suite="nfcorpus-mixed")) == [f"{config}/corpora/nfcorpus-mixed.yaml"]
    assert needs.testset_corpus(at(testset="nfcorpus-mixed")) == f"{config}/corpora/nfcorpus-mixed.yaml"
    assert needs.corpus_source(job) == []


def test_a_split_that_a_mixed_corpus_has_not_is_made_from_nothing_that_exists(study):
    job = at(corpus="nfcorpus-mixed", split="dev")
    assert Needs(study).mixed_queries(job) == "results/corpora/nfcorpus-shared/none/queries.jsonl"


def test_answers_may_train_where_the_corpus_says_so(study):
    needs = Needs(study)
    assert needs.held_out_qrels(at(corpus="nfcorpus-shared")) == []
    assert needs.held_out_queries(at(corpus="nfcorpus-shared")) == [
        f"results/corpora/nfcorpus-shared/{split}/queries.jsonl" for split in ("dev", "test")
    ], "queries never may"
    assert needs.held_out_from_queryset(at(corpus="nfcorpus-shared", queryset="train")) == []
    assert needs.held_out_qrels(at(corpus="nfcorpus")) != []


MIXED = "source: mixed\ncorpus: nfcorpus-shared\nparadigm: llama2-rewrite\nsplits: {test: test}\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("llama2-rewrite", "zero-shot", "paradigm: got 'zero-shot'; it must be imported, and keyed by passage"),
        ("llama2-rewrite", "by-query", "paradigm: got 'by-query'; it must be imported, and keyed by passage"),
        (
            "nfcorpus-shared", "nfcorpus-mixed",
            "corpus: got 'nfcorpus-mixed', which is mixed itself; name a corpus with a source of its own",
        ),
        (
            "test: test", "test: own",
            "splits: split: corpus 'nfcorpus-shared' has no split 'own' (known: dev, test, train)",
        ),
        ("splits", "title: prepend\nsplits", "title: a mixed corpus has what its corpus has; state it there"),
        (
            "splits", "answers_may_train: true\nsplits",
            "answers_may_train: a mixed corpus has what its corpus has; state it there",
        ),
        (
            "test: test", "train: train",
            "splits.train: nothing trains on a mixed corpus; it is for tests alone, leave the split out",
        ),
    ],
)  # fmt: skip
def test_what_a_mixed_corpus_cannot_be(copy, old, new, said):
    write(copy, "paradigms/by-query.yaml", "kind: imported\nfile: a.jsonl\nby: query\nwritten_by: me\n")
    write(copy, "corpora/a-mixed.yaml", MIXED.replace(old, new))
    assert problem(copy) == f"config/corpora/a-mixed.yaml: {said}"


GRADED = "kind: graded\ncorpus: python-faq\nparadigm: graded\nqueries: 4\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            PAIRS.format(paradigm="graded", source="human"),
            "positives.paradigm: got 'graded'; it is graded; use a recipe of kind graded",
        ),
        (GRADED.replace("paradigm: graded", "paradigm: human"), "paradigm: got 'human'; it must be graded"),
        (
            GRADED.replace("python-faq", "celery"),
            "split: corpus 'celery' has no split 'train' (known: test)",
        ),
        (
            PAIRS.format(paradigm="human", source="human").replace("corpus: nfcorpus", "corpus: nfcorpus-mixed"),
            "corpus: got 'nfcorpus-mixed'; it is mixed, and for tests alone",
        ),
        (
            "kind: distil\ncorpus: nfcorpus-mixed\nqueries: titles\nretriever: bm25\nteacher: minilm\n",
            "corpus: got 'nfcorpus-mixed'; it is mixed, and for tests alone",
        ),
        (
            "kind: teacher\ncorpus: nfcorpus-shared\nsplit: test\nfiles: [a]\nformat: trec\n",
            "split: got 'test'; test set 'nfcorpus-mixed' tests on it, so it must not train",
        ),
        (
            PAIRS.format(paradigm="human", source="human") + "teacher: bi-encoder\n",
            "teacher: got 'bi-encoder'; it must be a cross-encoder, seq2seq or decoder",
        ),
        (
            PAIRS.format(paradigm="human", source="human") + "teacher: cross-encoder\n",
            "teacher: got 'cross-encoder'; its base must be a pretrained model, which no recipe trains first",
        ),
        (
            PAIRS.format(paradigm="human", source="human") + "teacher: monot5-base\n",
            "teacher: got 'monot5-base'; its scores are probabilities, whose softmax tells passages hardly apart; "
            "name a ranker with score difference",
        ),
    ],
)  # fmt: skip
def test_what_a_recipe_cannot_be_made_of(copy, text, said):
    for path in (copy / "testsets").glob("*.yaml"):  # the mixed test set alone asks the questions of the last case
        if "corpus: nfcorpus-shared" in path.read_text():
            path.write_text(path.read_text().replace("nfcorpus-shared", "nfcorpus"))
    write(copy, "recipes/a-recipe.yaml", text)
    assert problem(copy) == f"config/recipes/a-recipe.yaml: {said}"


@pytest.mark.parametrize("ranker", ["bi-encoder", "student-binary-cross-entropy"])
def test_a_ranker_that_takes_no_levels(copy, ranker):
    said = problem(copy, recipes=["human", "graded"], rankers=["student-listnet", ranker])
    assert said.startswith(f"experiment: recipe 'graded' labels with levels, but ranker {ranker!r} trains with ")
    claim = {"statement": "s", "expects": "gain", "distribution": "id", "treatment": ["graded"], "control": "human"}
    claims = {"margin": 0.01, "over": ["queries"], "claims": {"c": claim | {"rankers": [ranker]}}}
    assert problem(copy, claims=claims) == said
    study_of(copy, recipes=["graded"], rankers=["student-listnet", "cross-encoder"])


def test_a_ranker_that_distils_needs_a_teachers_scores(copy):
    student = (copy / "rankers/bi-encoder.yaml").read_text()
    write(copy, "rankers/kl.yaml", re.sub("^loss: .*$", "loss: kl-divergence", student, flags=re.MULTILINE))
    said = problem(copy, recipes=["human"], rankers=["bi-encoder", "kl"])
    assert said == (
        "experiment: ranker 'kl' trains with kl-divergence, which takes a teacher's scores, but "
        "recipe 'human' has none; name a teacher in a recipe of pairs, or train another ranker on it"
    )
    sizes = {"recipes": ["human"], "queries": [12], "rankers": ["kl"]}
    assert problem(copy, recipes=["human"], rankers=["bi-encoder"], sizes=sizes) == said
    # the dense teacher of a recipe of kind distil gives labels, and no such scores
    assert "recipe 'warm-up' has none" in problem(copy, recipes=["warm-up"], rankers=["kl"])
    path = copy / "recipes/human.yaml"
    path.write_text(path.read_text() + "teacher: monot5-base-difference\n")
    study_of(copy, recipes=["human"], rankers=["bi-encoder", "kl"])


# Bias


def test_bias_is_measured_of_every_system_on_mixed_test_sets(copy):
    study = study_of(copy, bias={"suites": ["nfcorpus-mixed"], "measure": "nDCG@5"}, recipes=["human", "zero-shot"])
    needs = Needs(study)
    assert needs.bias_measure(at()) == "nDCG@5"
    metrics = needs.bias_metrics(at())
    assert metrics[0] == "results/metrics/bias/testsets/nfcorpus-mixed/bm25.csv"
    assert metrics[1:] == [
        f"results/metrics/bias/nfcorpus-mixed/{system}/{ranker}/seed-{seed}.csv"
        for system in ("none/none", "human/none", "zero-shot/smollm2-135m")
        for ranker in ("static", "static-reranker")
        for seed in ((1,) if system == "none/none" else (1, 2, 3))  # no seed moves the untrained ones
    ]


def test_an_experiment_without_bias_is_refused_when_its_table_is_asked_for(study):
    with pytest.raises(ConfigError, match=r"experiment: bias: is missing; results/tables/bias\.csv needs it"):
        Needs(study).bias_metrics(at())


def test_bias_on_a_plain_corpus_is_refused(copy):
    assert problem(copy, bias={"suites": ["medicine"]}) == (
        "experiment: bias.suites: 'medicine' has test set 'nfcorpus', whose corpus 'nfcorpus' is not mixed; bias is "
        "measured where passages of both kinds are ranked"
    )


# The plan


def test_the_plan_counts_a_request_for_each_passage(copy, tmp_path):
    one = next(iter(plan(study_of(copy, recipes=["zero-shot"]), tmp_path, tmp_path)))
    path = copy / "paradigms/zero-shot.yaml"
    path.write_text(path.read_text().replace("quality:", "passages: 3\nquality:"))
    three = next(iter(plan(study_of(copy, recipes=["zero-shot"]), tmp_path, tmp_path)))
    assert three.requests == 3 * one.requests > 0
    assert three.tokens_out == 3 * one.tokens_out
    asked = [Request(f"q{place}", "why", (Message("user", "why?"),)) for place in range(4)]
    write_jsonl(tmp_path / "passages/python-headings/zero-shot/draw-0/requests.jsonl", asked)
    counted = next(iter(plan(study_of(copy, recipes=["zero-shot"]), tmp_path, tmp_path)))
    assert (counted.requests, counted.counted) == (12, "yes")


def test_the_plan_asks_once_for_all_levels(copy, tmp_path):
    study = study_of(copy, recipes=["graded"], rankers=["student-listnet"])
    (line,) = plan(study, tmp_path, tmp_path)
    one = next(iter(plan(study_of(copy, recipes=["zero-shot"]), tmp_path, tmp_path)))
    assert (line.name, line.requests) == ("graded", one.requests)
    assert line.tokens_in > one.tokens_in
