"""Studies with imported and graded paradigms, mixed corpora and several passages per query."""

import ast
import re
import shutil
from types import SimpleNamespace

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.recipes import GradedRecipe
from synthrank.config.study import Study
from synthrank.data.files import write_jsonl
from synthrank.data.records import Message, Request
from synthrank.errors import ConfigError
from synthrank.workflow.plan import plan


def at(**names):
    return SimpleNamespace(**names)


@pytest.fixture
def copy(tmp_path, config):
    """A copy of the committed configuration to change."""
    return shutil.copytree(config, tmp_path / "config")


SECTIONS = ("claims", "enrichment", "sizes", "validity", "bias", "twolar")


def study_of(folder, **changed):
    """Return a study without the sections of the committed experiment."""
    return Study(folder, {**read_yaml(folder / "config.yaml"), **dict.fromkeys(SECTIONS), **changed})


def write(folder, path, text):
    (folder / path).write_text(text, encoding="utf-8")


def problem(folder, **changed):
    with pytest.raises(ConfigError) as error:
        study_of(folder, **changed)
    assert "\n" not in str(error.value)
    return re.sub(r"(?<=\.yaml):\d+", "", str(error.value)).replace(str(folder), "config")


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
    rules, job = RuleInputs(study_of(copy)), at(recipe="own", llm="none", draw="1")
    assert rules("pair_trainset.positives")(job) == ["results/passages/nfcorpus/own/draw-0/none/passages.jsonl"]
    assert (rules("pair_trainset.negative_runs")(job), rules("pair_trainset.negative_passages")(job)) == (
        [run],
        [passages],
    )
    assert rules.inputs.trainsets.reworded(job) == reworded


def test_an_imported_paradigm_reads_its_file_without_an_llm(copy, monkeypatch):
    monkeypatch.setenv("SYNTHRANK_DATA", "/texts")
    study = study_of(copy)
    rules, job = RuleInputs(study), at(corpus="nfcorpus", paradigm="llama2-rewrite")
    assert not study.writes("llama2-rewrite")
    assert rules.one("import_passages.file")(job) == "/texts/nfcorpus-llm/corpus.jsonl"
    assert rules("import_passages.queries")(job) == ["results/corpora/nfcorpus/train/queries.jsonl"]
    assert rules("import_passages.qrels")(job) == ["results/corpora/nfcorpus/train/qrels.txt"]
    assert rules("import_passages.queries")(at(corpus="trec-dl19-pool", paradigm="llama2-rewrite")) == []


@pytest.mark.parametrize(
    ("stage", "kind", "key", "sets"), [("passages", "paradigms", "kind", 4), ("corpora", "corpora", "source", 2)]
)
def test_exactly_one_rule_makes_each_paradigm_and_corpus(study, root, stage, kind, key, sets):
    rules = (root / f"rules/{stage}.smk").read_text(encoding="utf-8")
    stated = set(re.findall(rf'study\.pattern\("{kind}", {key}=(.+)\),\n', rules))
    patterns = [re.compile(study.pattern(kind, **{key: ast.literal_eval(values)})) for values in stated]
    assert len(patterns) == sets
    for name in study.entities[kind]:
        assert sum(bool(pattern.fullmatch(name)) for pattern in patterns) == 1, name


def test_a_graded_recipe(study):
    rules, job = RuleInputs(study), at(recipe="graded", llm="echo", draw="1")
    assert rules("pair_trainset.queries")(job) == ["results/corpora/python-headings/train/queries.jsonl"]
    assert rules("pair_trainset.positives")(job) == [
        "results/passages/python-headings/graded/draw-0/echo/passages.jsonl"
    ]
    assert (
        rules("pair_trainset.filters")(job)
        == rules.inputs.trainsets.reworded(job)
        == rules("pair_trainset.teacher")(job)
        == []
    )
    assert rules("pair_trainset.negative_runs")(job) == ["results/runs/corpora/python-headings/bm25/train.trec"]
    assert rules("pair_trainset.negative_passages")(job) == ["results/corpora/python-headings/passages.jsonl"]
    assert (
        rules.one("pair_trainset.excluded")(at(recipe="graded")) == "results/corpora/python-headings/train/excluded.txt"
    )
    assert study.is_generated("graded")
    assert ("msmarco-passage", "graded") in study.generated(["msmarco-graded"])


def test_a_graded_recipe_without_negatives_reads_no_run(copy):
    write(copy, "recipes/bare.yaml", "kind: graded\ncorpus: python-faq\nparadigm: graded\nqueries: 4\n")
    rules, job = RuleInputs(study_of(copy)), at(recipe="bare", llm="echo", draw="1")
    assert (rules("pair_trainset.negative_runs")(job), rules("pair_trainset.negative_passages")(job)) == ([], [])


def test_graded_recipes_have_sizes(copy):
    sizes = {"recipes": ["graded"], "queries": [12]}
    study = study_of(copy, rankers=["student-listnet"], sizes=sizes)
    sized = study.entities["recipes"]["graded@12"]
    assert isinstance(sized, GradedRecipe)
    assert sized.queries == 12
    job = at(recipe="graded@12", llm="echo", draw="1")
    assert RuleInputs(study).inputs.trainsets.size(job) == 12
    assert RuleInputs(study).one("pair_trainset.spec")(job).endswith("recipes/graded.yaml")


# Mixed corpora, and corpora with answers_may_train


def test_a_mixed_corpus(study, config):
    rules, job = RuleInputs(study), at(corpus="nfcorpus-mixed", split="test")
    assert rules.one("mix_passages.originals")(job) == "results/corpora/nfcorpus-shared/passages.jsonl"
    assert (
        rules.one("mix_passages.rewritten")(job)
        == "results/passages/nfcorpus-shared/llama2-rewrite/draw-0/none/collection.jsonl"
    )
    assert rules.one("mix_qrels.original_queries")(job) == "results/corpora/nfcorpus-shared/test/queries.jsonl"
    assert rules.one("mix_qrels.original_qrels")(job) == "results/corpora/nfcorpus-shared/test/qrels.txt"
    assert rules.one("score_bias.corpus")(at(testset="nfcorpus-mixed")) == f"{config}/corpora/nfcorpus-mixed.yaml"
    assert rules.inputs.corpora.source(job) == []


def test_an_unknown_split_of_a_mixed_corpus_has_a_missing_input(study):
    job = at(corpus="nfcorpus-mixed", split="dev")
    assert (
        RuleInputs(study).one("mix_qrels.original_queries")(job) == "results/corpora/nfcorpus-shared/none/queries.jsonl"
    )


def test_answers_may_train_disables_the_exclusion_of_passages(study):
    rules = RuleInputs(study)
    assert rules("exclude_passages.qrels")(at(corpus="nfcorpus-shared", split="train")) == []
    assert rules("teacher_trainset.held_out_queries")(at(recipe="nfcorpus-shared-human")) == [
        f"results/corpora/nfcorpus-shared/{split}/queries.jsonl" for split in ("dev", "test")
    ], "held-out queries are always excluded"
    assert rules("exclude_passages.qrels")(at(corpus="nfcorpus", split="train")) != []


MIXED = "source: mixed\ncorpus: nfcorpus-shared\nparadigm: llama2-rewrite\nsplits: {test: test}\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("llama2-rewrite", "zero-shot", "paradigm: 'zero-shot' must have kind: imported and by: passage"),
        ("llama2-rewrite", "by-query", "paradigm: 'by-query' must have kind: imported and by: passage"),
        (
            "nfcorpus-shared", "nfcorpus-mixed",
            "corpus: 'nfcorpus-mixed' is a mixed corpus; state its original corpus",
        ),
        (
            "test: test", "test: own",
            "splits: split: corpus 'nfcorpus-shared' has no split 'own' (known: dev, test, train)",
        ),
        ("splits", "title: prepend\nsplits", "title: has no effect in a mixed corpus; state it in the file of "
         "corpus 'nfcorpus-shared'"),
        (
            "splits", "answers_may_train: true\nsplits",
            "answers_may_train: has no effect in a mixed corpus; state it in the file of corpus 'nfcorpus-shared'",
        ),
        (
            "test: test", "train: train",
            "splits.train: a mixed corpus is only for testing; remove the split",
        ),
    ],
)  # fmt: skip
def test_an_invalid_mixed_corpus_is_refused(copy, old, new, said):
    write(copy, "paradigms/by-query.yaml", "kind: imported\nfile: a.jsonl\nby: query\nwritten_by: me\n")
    write(copy, "corpora/a-mixed.yaml", MIXED.replace(old, new))
    assert problem(copy) == f"config/corpora/a-mixed.yaml: {said}"


GRADED = "kind: graded\ncorpus: python-faq\nparadigm: graded\nqueries: 4\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            PAIRS.format(paradigm="graded", source="human"),
            "positives.paradigm: 'graded' is graded; use a recipe of kind graded",
        ),
        (GRADED.replace("paradigm: graded", "paradigm: human"), "paradigm: 'human' must be graded"),
        (
            GRADED.replace("python-faq", "celery"),
            "split: corpus 'celery' has no split 'train' (known: test)",
        ),
        (
            PAIRS.format(paradigm="human", source="human").replace("corpus: nfcorpus", "corpus: nfcorpus-mixed"),
            "corpus: 'nfcorpus-mixed' is mixed, so only for testing; use another corpus",
        ),
        (
            "kind: distil\ncorpus: nfcorpus-mixed\nqueries: titles\nretriever: bm25\nteacher: minilm\n",
            "corpus: 'nfcorpus-mixed' is mixed, so only for testing; use another corpus",
        ),
        (
            "kind: teacher\ncorpus: nfcorpus-shared\nsplit: test\nfiles: [a]\nformat: trec\n",
            "split: test set 'nfcorpus-mixed' tests on split 'test'; train on another split",
        ),
        (
            PAIRS.format(paradigm="human", source="human") + "teacher: bi-encoder\n",
            "teacher: 'bi-encoder' must be a cross-encoder, seq2seq or decoder",
        ),
        (
            PAIRS.format(paradigm="human", source="human") + "teacher: cross-encoder\n",
            "teacher: 'cross-encoder' must have a pretrained model as base, without a recipe",
        ),
        (
            PAIRS.format(paradigm="human", source="human") + "teacher: monot5-base\n",
            "teacher: the scores of 'monot5-base' are probabilities, whose softmax is nearly uniform; use a ranker "
            "with score: difference",
        ),
    ],
)  # fmt: skip
def test_an_invalid_recipe_is_refused(copy, text, said):
    for path in (copy / "testsets").glob("*.yaml"):  # so that only the mixed test set has these queries
        if "corpus: nfcorpus-shared" in path.read_text():
            path.write_text(path.read_text().replace("nfcorpus-shared", "nfcorpus"))
    write(copy, "recipes/a-recipe.yaml", text)
    assert problem(copy) == f"config/recipes/a-recipe.yaml: {said}"


@pytest.mark.parametrize("ranker", ["bi-encoder", "student-binary-cross-entropy"])
def test_a_ranker_with_a_binary_loss_refuses_graded_labels(copy, ranker):
    said = problem(copy, recipes=["human", "graded"], rankers=["student-listnet", ranker])
    assert said.startswith("experiment: recipe 'graded' has graded labels, but the loss ")
    assert f" of ranker {ranker!r} needs labels 1 and 0; " in said
    claim = {"statement": "s", "expects": "gain", "distribution": "id", "treatment": ["graded"], "control": "human"}
    claims = {"margin": 0.01, "over": ["queries"], "claims": {"c": claim | {"rankers": [ranker]}}}
    assert problem(copy, claims=claims) == said
    study_of(copy, recipes=["graded"], rankers=["student-listnet", "cross-encoder"])


def test_a_ranker_with_kl_divergence_needs_a_teacher(copy):
    student = (copy / "rankers/bi-encoder.yaml").read_text()
    write(copy, "rankers/kl.yaml", re.sub("^loss: .*$", "loss: kl-divergence", student, flags=re.MULTILINE))
    said = problem(copy, recipes=["human"], rankers=["bi-encoder", "kl"])
    assert said == (
        "experiment: the loss kl-divergence of ranker 'kl' needs a teacher's scores, but recipe 'human' has no "
        "teacher; "
        "state a teacher in a recipe of kind pairs, or use another ranker"
    )
    sizes = {"recipes": ["human"], "queries": [12], "rankers": ["kl"]}
    assert problem(copy, recipes=["human"], rankers=["bi-encoder"], sizes=sizes) == said
    # The dense teacher of a recipe of kind distil returns labels, not scores.
    assert "recipe 'warm-up' has no teacher" in problem(copy, recipes=["warm-up"], rankers=["kl"])
    path = copy / "recipes/human.yaml"
    path.write_text(path.read_text() + "teacher: monot5-base-difference\n")
    study_of(copy, recipes=["human"], rankers=["bi-encoder", "kl"])


# Bias


def test_bias_measures_every_system_on_mixed_test_sets(copy):
    study = study_of(copy, bias={"suites": ["nfcorpus-mixed"], "measure": "nDCG@5"}, recipes=["human", "zero-shot"])
    rules = RuleInputs(study)
    assert rules.inputs.metrics.bias_measure(at()) == "nDCG@5"
    metrics = rules("make_bias_table.metrics")(at())
    assert metrics[0] == "results/metrics/bias/testsets/nfcorpus-mixed/bm25.csv"
    assert metrics[1:] == [
        f"results/metrics/bias/testsets/nfcorpus-mixed/{system}/{ranker}/seed-{seed}.csv"
        for system in ("none/none", "human/none", "zero-shot/smollm2-135m")
        for ranker in ("static", "static-reranker")
        for seed in ((1,) if system == "none/none" else (1, 2, 3))  # untrained rankers have one seed
    ]


def test_the_table_of_bias_without_its_section_is_refused(study):
    with pytest.raises(
        ConfigError, match=r"experiment: no section 'bias', so results/tables/bias\.csv cannot be built"
    ):
        RuleInputs(study)("make_bias_table.metrics")(at())


def test_bias_on_a_corpus_that_is_not_mixed_is_refused(copy):
    assert problem(copy, bias={"suites": ["medicine"]}) == (
        "experiment: bias.suites: 'medicine' has test set 'nfcorpus', whose corpus 'nfcorpus' is not mixed; use "
        "only test sets of mixed corpora"
    )


# The plan


def test_the_plan_counts_one_request_per_passage(copy, tmp_path):
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


def test_the_plan_counts_one_request_for_all_levels(copy, tmp_path):
    study = study_of(copy, recipes=["graded"], rankers=["student-listnet"])
    (line,) = plan(study, tmp_path, tmp_path)
    one = next(iter(plan(study_of(copy, recipes=["zero-shot"]), tmp_path, tmp_path)))
    assert (line.name, line.requests) == ("graded", one.requests)
    assert line.tokens_in > one.tokens_in
