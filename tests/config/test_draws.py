"""Parts of the training data that differ between training seeds, and their folders."""

from types import SimpleNamespace

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.draws import Draws
from synthrank.config.study import Study
from synthrank.errors import ConfigError
from synthrank.llms.base import reseed
from synthrank.workflow.inputs.trainsets import TrainsetDraws
from synthrank.workflow.plan import plan

EACH = ["queries", "negatives", "exemplars", "training"]
"""The default of ``vary``: all parts except samples of the LLM."""


@pytest.fixture
def make(config):
    """Return a function that makes the committed study with all paradigms, seeds 3 and 5, and other varied parts."""
    both = read_yaml(config / "config.yaml") | read_yaml(config / "study.yaml")
    stated = {**both, "seeds": [3, 5], "vary": EACH}
    return lambda **changed: Study(config, {**stated, **changed})


def test_by_default_seeds_vary_all_parts_except_samples_of_the_llm(config):
    stated = read_yaml(config / "study.yaml") | {"seeds": [3, 5]}
    del stated["vary"]
    draws = Draws(Study(config, stated))
    assert [draws.of_passages(name, 3) for name in ("human", "zero-shot", "few-shot-supervised")] == [0, 0, 3]
    assert [draws.of_trainset(name, 3) for name in ("human", "zero-shot", "human@12", "graded")] == [3] * 4
    assert [draws.of_trainset(name, 3) for name in ("warm-up", "order", "dl20-teacher")] == [0] * 3
    assert draws.passages("zero-shot") == [0]
    assert draws.passages("few-shot-unsupervised") == [3, 5]
    assert draws.of_training(5) == 5


@pytest.mark.parametrize(
    ("vary", "passages", "trainsets"),
    [
        ([], (0, 0, 0), (0, 0, 0)),
        (["training"], (0, 0, 0), (0, 0, 0)),
        (["exemplars"], (0, 0, 3), (0, 0, 3)),
        (["generation"], (0, 3, 3), (0, 3, 3)),
        (["queries"], (0, 0, 0), (3, 3, 3)),
        (["negatives"], (0, 0, 0), (3, 3, 3)),
    ],
)
def test_parts_missing_from_vary_are_shared_by_all_seeds(make, vary, passages, trainsets):
    draws, names = Draws(make(vary=vary)), ("human", "zero-shot", "few-shot-supervised")
    assert tuple(draws.of_passages(name, 3) for name in names) == passages
    assert tuple(draws.of_trainset(name, 3) for name in names) == trainsets
    assert draws.of_training(5) == (5 if "training" in vary else 3)


def test_rules_get_the_draws_of_varied_parts(make):
    at = SimpleNamespace
    rules, job = RuleInputs(make(vary=["negatives", "generation"])), at(recipe="human", llm="none", draw="5", seed="5")
    assert rules.inputs.trainsets.of_parts(job) == TrainsetDraws(queries=0, negatives=5)
    assert (
        rules.inputs.llms.exemplar_draw(job),
        rules.inputs.llms.generation_draw(job),
        rules.inputs.checkpoints.training_seed(job),
    ) == (0, 5, 3)
    assert rules.one("train_ranker.trainset")(job) == "results/trainsets/human/none/draw-5/groups.jsonl"
    written = rules("pair_trainset.positives")(at(recipe="human-zero-shot", llm="echo", draw="5"))
    assert written == [
        "results/passages/python-headings/human/draw-0/none/passages.jsonl",
        "results/passages/python-headings/zero-shot/draw-5/echo/passages.jsonl",
    ]


def test_reply_tables_count_every_draw_and_shared_parts_once(make):
    rules = RuleInputs(make())
    place = "results/passages/python-headings"
    assert rules("make_reply_tables.replies")(None) == [f"{place}/{name}/smollm2-135m/replies.jsonl" for name in (
        "zero-shot/draw-0", "few-shot-unsupervised/draw-3", "few-shot-unsupervised/draw-5",
        "few-shot-supervised/draw-3", "few-shot-supervised/draw-5",
    )]  # fmt: skip
    assert (
        len(rules("make_reply_tables.requests")(None))
        == len(rules("make_reply_tables.llms")(None))
        == len(rules("make_reply_tables.paradigms")(None))
        == 5
    )


def test_plan_counts_every_draw_and_shared_parts_once(make, tmp_path):
    def names(study):
        return [line.name for line in plan(study, tmp_path, tmp_path) if line.rule == "generate_passages"]

    few = [f"few-shot-{kind}, draw {seed}" for kind in ("unsupervised", "supervised") for seed in (3, 5)]
    assert names(make()) == ["zero-shot", *few]
    assert names(make(vary=["generation"])) == ["zero-shot, draw 3", "zero-shot, draw 5", *few]


def test_another_draw_of_an_llm_is_another_sample(study):
    spec = study.entities["llms"]["smollm2-135m"]
    assert reseed(spec, 0) == spec
    first, second = reseed(spec, 1), reseed(spec, 2)
    assert len({spec.sampling.seed, first.sampling.seed, second.sampling.seed}) == 3
    assert first.sampling.model_dump(exclude={"seed"}) == spec.sampling.model_dump(exclude={"seed"})
    assert first.model_dump(exclude={"sampling"}) == spec.model_dump(exclude={"sampling"})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seeds": [1, 2, 1]}, r"^experiment: seeds: 1 occurs twice; state it once$"),
        ({"seeds": [0, 1]}, r"^experiment: seeds\.0 must be at least 1; got 0$"),
        ({"vary": ["queries", "queries"]}, r"^experiment: vary: 'queries' occurs twice; state it once$"),
        ({"vary": ["weather"]}, r"^experiment: vary\.0: unknown value 'weather' \(known: exemplars, "),
    ],
)
def test_invalid_seeds_and_parts_are_refused(make, changed, message):
    with pytest.raises(ConfigError, match=message):
        make(**changed)


def test_scope_of_every_table_names_the_populations_of_its_intervals(make):
    rules, job = RuleInputs(make()), SimpleNamespace(ablation="loss")
    assert rules.inputs.tables.scope_of("main")(job) == (
        "Seeds 3 and 5 differ in training queries, negatives, exemplars and training runs, and share samples of the "
        "LLM: tests over seeds cover other test queries and other training queries, negatives, exemplars and training "
        "runs, but not other samples of the LLM."
    )
    of_main = rules.inputs.tables.scope_of("main")(job)
    assert [rules.inputs.tables.scope_of(table)(job) for table in ("claims", "enrichment", "sizes")] == [of_main] * 3
    students = "Seeds 3 and 5 differ in training runs: tests over seeds cover other test queries "
    for table in ("twolar", "ablation"):
        assert rules.inputs.tables.scope_of(table)(job) == f"{students}and other training runs."
    human = RuleInputs(make(recipes=["human"], vary=["training"])).inputs.tables.scope_of("main")(job)
    assert human.endswith("and other training runs, but not other training queries or negatives.")
    one = RuleInputs(make(recipes=["zero-shot"], seeds=[4], claims=None)).inputs.tables.scope_of("main")(job)
    assert one == (
        "One training seed, 4: p and intervals cover other test queries, but not other training queries, "
        "negatives, samples of the LLM or training runs."
    )


def test_main_tables_read_every_training_set_once(make):
    rules, job = RuleInputs(make(recipes=["human", "zero-shot"])), SimpleNamespace()
    assert rules("make_tables.trainsets")(job) == [
        f"results/trainsets/{name}/draw-{seed}/stats.json" for name in ("human/none", "zero-shot/smollm2-135m")
        for seed in (3, 5)
    ]  # fmt: skip
    assert len(RuleInputs(make(recipes=["human"], vary=["training"]))("make_tables.trainsets")(job)) == 1
