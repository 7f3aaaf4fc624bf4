"""Which data a training seed moves, and where they lie."""

from types import SimpleNamespace

import pytest

from synthrank.draws import Draws
from synthrank.errors import ConfigError
from synthrank.llms.base import of_draw
from synthrank.needs import Needs
from synthrank.needs.trainsets import TrainsetDraws
from synthrank.plan import plan
from synthrank.specs.base import read_yaml
from synthrank.study import Study

EACH = ["queries", "negatives", "exemplars", "training"]
"""What seeds move where an experiment does not say it: all but the sample of the LLM."""


@pytest.fixture
def make(config):
    """Return a function that makes the committed study with all paradigms, other seeds and parts that they move."""
    both = read_yaml(config / "config.yaml") | read_yaml(config / "study.yaml")
    stated = {**both, "seeds": [3, 5], "vary": EACH}
    return lambda **changed: Study(config, {**stated, **changed})


def test_unless_stated_seeds_move_all_but_the_sample_of_the_llm(config):
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
def test_what_is_not_named_is_drawn_once_for_all_seeds(make, vary, passages, trainsets):
    draws, names = Draws(make(vary=vary)), ("human", "zero-shot", "few-shot-supervised")
    assert tuple(draws.of_passages(name, 3) for name in names) == passages
    assert tuple(draws.of_trainset(name, 3) for name in names) == trainsets
    assert draws.of_training(5) == (5 if "training" in vary else 3)


def test_rules_get_the_draw_of_what_seeds_move(make):
    at = SimpleNamespace
    needs, job = Needs(make(vary=["negatives", "generation"])), at(recipe="human", llm="none", draw="5", seed="5")
    assert needs.trainset_draws(job) == TrainsetDraws(queries=0, negatives=5)
    assert (needs.exemplar_draw(job), needs.generation_draw(job), needs.training_seed(job)) == (0, 5, 3)
    assert needs.trainset(job) == "results/trainsets/human/none/draw-5/groups.jsonl"
    written = needs.positives(at(recipe="human-zero-shot", llm="echo", draw="5"))
    assert written == [
        "results/passages/python-headings/human/draw-0/none/passages.jsonl",
        "results/passages/python-headings/zero-shot/draw-5/echo/passages.jsonl",
    ]


def test_tables_of_replies_count_every_draw_and_what_seeds_share_once(make):
    needs = Needs(make())
    place = "results/passages/python-headings"
    assert needs.all_replies == [f"{place}/{name}/smollm2-135m/replies.jsonl" for name in (
        "zero-shot/draw-0", "few-shot-unsupervised/draw-3", "few-shot-unsupervised/draw-5",
        "few-shot-supervised/draw-3", "few-shot-supervised/draw-5",
    )]  # fmt: skip
    assert len(needs.all_requests) == len(needs.all_reply_llms) == len(needs.all_reply_paradigms) == 5


def test_the_plan_counts_every_draw_and_what_seeds_share_once(make, tmp_path):
    def names(study):
        return [line.name for line in plan(study, tmp_path, tmp_path) if line.rule == "generate_passages"]

    few = [f"few-shot-{kind}, draw {seed}" for kind in ("unsupervised", "supervised") for seed in (3, 5)]
    assert names(make()) == ["zero-shot", *few]
    assert names(make(vary=["generation"])) == ["zero-shot, draw 3", "zero-shot, draw 5", *few]


def test_another_draw_of_an_llm_is_another_sample(study):
    spec = study.entities["llms"]["smollm2-135m"]
    assert of_draw(spec, 0) == spec
    first, second = of_draw(spec, 1), of_draw(spec, 2)
    assert len({spec.sampling.seed, first.sampling.seed, second.sampling.seed}) == 3
    assert first.sampling.model_dump(exclude={"seed"}) == spec.sampling.model_dump(exclude={"seed"})
    assert first.model_dump(exclude={"sampling"}) == spec.model_dump(exclude={"sampling"})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seeds": [1, 2, 1]}, r"^experiment: seeds: got \[1, 2, 1\]; 1 is named twice; name each once$"),
        ({"seeds": [0, 1]}, r"^experiment: seeds\.0: got 0; input should be greater than or equal to 1$"),
        ({"vary": ["queries", "queries"]}, r"^experiment: vary: .*'queries' is named twice; name each once$"),
        ({"vary": ["weather"]}, r"^experiment: vary\.0: got 'weather'; input should be 'queries', 'negatives'"),
    ],
)
def test_seeds_and_parts_that_cannot_be_are_refused(make, changed, said):
    with pytest.raises(ConfigError, match=said):
        make(**changed)


def test_every_table_says_what_chance_is_in_it(make):
    needs, job = Needs(make()), SimpleNamespace(ablation="loss")
    assert needs.scope_of("main")(job) == (
        "Seeds 3 and 5 differ in training queries, negatives, exemplars and training runs, and share samples of the "
        "LLM: where seeds count, p and intervals speak of other test queries and of other training queries, negatives, "
        "exemplars and training runs, not of other samples of the LLM."
    )
    of_main = needs.scope_of("main")(job)
    assert [needs.scope_of(table)(job) for table in ("claims", "enrichment", "sizes")] == [of_main] * 3
    students = "Seeds 3 and 5 differ in training runs: where seeds count, p and intervals speak of other test queries "
    for table in ("twolar", "ablation"):
        assert needs.scope_of(table)(job) == f"{students}and of other training runs."
    human = Needs(make(recipes=["human"], vary=["training"])).scope_of("main")(job)
    assert human.endswith("and of other training runs, not of other training queries or negatives.")
    one = Needs(make(recipes=["zero-shot"], seeds=[4], claims=None)).scope_of("main")(job)
    assert one == (
        "One training seed, 4: p and intervals speak of other test queries alone, not of other training queries, "
        "negatives, samples of the LLM or training runs."
    )


def test_budgets_are_those_of_every_training_set_once(make):
    needs, job = Needs(make(recipes=["human", "zero-shot"])), SimpleNamespace()
    assert needs.trainsets_of("main")(job) == [
        f"results/trainsets/{name}/draw-{seed}/stats.json" for name in ("human/none", "zero-shot/smollm2-135m")
        for seed in (3, 5)
    ]  # fmt: skip
    assert len(Needs(make(recipes=["human"], vary=["training"])).trainsets_of("main")(job)) == 1
