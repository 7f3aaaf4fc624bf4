"""``config/config.yaml`` and its siblings: which entities an experiment joins."""

from typing import Annotated

from pydantic import Field

from synthrank.specs.base import (
    Count,
    Entity,
    LlmName,
    Name,
    Names,
    PublishedName,
    RankerName,
    RecipeName,
    RetrieverName,
)


class Intervals(Entity):
    """Bootstrap intervals and randomisation tests of the tables."""

    resamples: Count = Field(default=10_000, description="Of the bootstrap, and of a test that has more permutations.")
    confidence: float = Field(default=0.95, gt=0, lt=1)
    seed: int = 13


class Ablation(Entity):
    """Systems that differ in one thing: every recipe with every ranker."""

    recipes: tuple[RecipeName, ...] = Field(min_length=1)
    rankers: tuple[RankerName, ...] = Field(min_length=1)


class Twolar(Entity):
    """The distillation study of an experiment: students of a language model's order, beside published figures."""

    llms: tuple[LlmName, ...] = Field(default=(), description="Teachers; every recipe of kind order is made with each.")
    recipes: tuple[RecipeName, ...] = Field(min_length=1)
    rankers: tuple[RankerName, ...] = Field(min_length=1, description="Students.")
    first_stages: tuple[RetrieverName, ...] = Field(default=(), description="Retrievers that get rows of their own.")
    measures: tuple[str, ...] = ("nDCG@1", "nDCG@5", "nDCG@10")
    published: PublishedName | None = None
    ablations: dict[Name, Ablation] = Field(
        default_factory=dict, description="results/tables/ablation-NAME.csv for each."
    )


class Experiment(Entity):
    """An experiment: it names entities and how to average, nothing else."""

    llms: Annotated[tuple[Name, ...], Names("llms")] = Field(
        description="Generators; every recipe with generated passages is made with each."
    )
    recipes: Annotated[tuple[Name, ...], Names("recipes")] = Field(
        min_length=1, description="Training sets to compare."
    )
    rankers: Annotated[tuple[Name, ...], Names("rankers")] = Field(
        min_length=1, description="Models trained on each of them."
    )
    seeds: tuple[int, ...] = Field(min_length=1, description="Training seeds; one checkpoint each.")
    suites: Annotated[tuple[Name, ...], Names("suites")] = Field(min_length=1, description="Test sets, by suite.")
    first_stages: Annotated[tuple[Name, ...], Names("retrievers")] = Field(
        default=(), description="Retrievers that get rows of their own."
    )
    measures: tuple[str, ...] = Field(min_length=1, description="Names as ir_measures reads them, nDCG@10 first.")
    intervals: Intervals = Intervals()
    twolar: Twolar | None = Field(default=None, description="What results/tables/twolar.csv and the ablations hold.")
    budget_usd: float | None = Field(
        default=None,
        ge=0,
        description="The most that all replies in the store, imported ones included, may have cost together, in US "
        "dollars; a request that could exceed it is not sent. Null is no limit.",
    )
