"""``config/config.yaml`` and its siblings: which entities an experiment joins."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

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
    SuiteName,
)
from synthrank.specs.leaks import LeakTests
from synthrank.specs.measures import MeasureName


class Intervals(Entity):
    """Intervals and tests of the tables."""

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
    untrained: tuple[RankerName, ...] = Field(
        default=(), description="Rankers that are measured as their base is and never trained: released checkpoints."
    )
    suites: tuple[SuiteName, ...] = Field(
        default=(),
        description="Test sets of this study; those of the experiment where none is named. A test set whose file names "
        "a first stage is that first stage reordered, so one student is tested on several.",
    )
    first_stages: tuple[RetrieverName, ...] = Field(default=(), description="Retrievers that get rows of their own.")
    measures: tuple[MeasureName, ...] = ("nDCG@1", "nDCG@5", "nDCG@10")
    published: PublishedName | None = None
    ablations: dict[Name, Ablation] = Field(
        default_factory=dict, description="results/tables/ablation-NAME.csv for each."
    )


class Claim(Entity):
    """One claim of a study: training sets against one other, with the same rankers."""

    statement: str = Field(description="In words, as the table prints it.")
    expects: Literal["gain", "loss", "non-inferiority", "equivalence", "no-gain"] = Field(
        description="Of the treatment: a higher or a lower mean than the control's; a mean that is not lower by the "
        "margin (as good as), not different by the margin (no difference), or not higher by the margin."
    )
    distribution: Literal["id", "ood", "both"] = Field(
        description="On test sets of the recipes' corpus, on all others, or on each of the two, a row each; within a "
        "row each test set weighs the same."
    )
    treatment: tuple[RecipeName, ...] = Field(
        min_length=1, description="One row each; the scores of all its LLMs are averaged, and each LLM's effect shown."
    )
    control: RecipeName = Field(description="What they are compared with.")
    gate: RecipeName | None = Field(
        default=None,
        description="The recipe of human passages whose gain over the untrained ranker must exceed the margin, or the "
        "row is insensitive; the control by default.",
    )
    rankers: tuple[RankerName, ...] = Field(min_length=1, description="One row each.")

    @property
    def human(self) -> str:
        """The recipe that shows whether training helps."""
        return self.gate or self.control

    @property
    def recipes(self) -> tuple[str, ...]:
        """Every recipe of the claim, each once."""
        return tuple(dict.fromkeys((*self.treatment, self.control, self.human)))

    @property
    def distributions(self) -> tuple[Literal["id", "ood"], ...]:
        """Where the claim is tested, a row each."""
        return ("id", "ood") if self.distribution == "both" else (self.distribution,)


class Claims(Entity):
    """The family of claims that is tested together, stated before anything runs."""

    measure: MeasureName = "nDCG@10"
    margin: float = Field(gt=0, lt=1, description="A difference below it is taken for none, in units of the measure.")
    alpha: float = Field(default=0.05, gt=0, lt=1, description="Of the whole family.")
    over: tuple[Literal["queries", "seeds"], ...] = Field(
        default=("queries", "seeds"),
        description="What the claims speak of: other queries, and other training seeds, which takes two seeds or more.",
    )
    permutations: Count = Field(default=100_000, description="Of the correction for the family, and of each test.")
    first_look: int | None = Field(
        default=None,
        ge=2,
        description="How many training seeds the family is first looked at with, if seeds are added later until claims "
        "are settled: claims are then tested by e-values, which hold at any number of seeds from this one on, and need "
        "larger effects. Null if no seed is added because of what a table says.",
    )
    claims: dict[Name, Claim] = Field(min_length=1)

    @field_validator("over")
    @classmethod
    def _queries(cls, over: tuple[str, ...]) -> tuple[str, ...]:
        if "queries" not in over or len(set(over)) < len(over):
            raise ValueError("state [queries] or [queries, seeds]")
        return over


class Enrichment(Entity):
    """Human passages alone, with synthetic ones, and with as many further human ones."""

    base: RecipeName = Field(description="Human passages alone.")
    control: RecipeName | None = Field(description="The same with as many further human passages as enrichment adds.")
    enriched: tuple[RecipeName, ...] = Field(min_length=1)
    rankers: tuple[RankerName, ...] = Field(default=(), description="Those of the experiment where none is named.")


class Sizes(Entity):
    """Effect of the number of queries: each recipe at each size and at its own, smaller samples within larger ones."""

    recipes: Annotated[tuple[Name, ...], Names("recipes")] = Field(min_length=1)
    queries: tuple[Count, ...] = Field(
        min_length=1, description="Sizes other than those that the recipes' files state."
    )
    rankers: tuple[RankerName, ...] = Field(default=(), description="Those of the experiment where none is named.")
    seeds: tuple[int, ...] = Field(
        default=(), description="Those of the experiment where none is named: fewer, where the largest sizes cost most."
    )

    @property
    def names(self) -> list[str]:
        """Every recipe at every size, as ``recipe@queries``, and last as its file has it."""
        return [name for recipe in self.recipes for name in (*(f"{recipe}@{n}" for n in self.queries), recipe)]


class Validity(Entity):
    """What is measured of every training set."""

    retriever: RetrieverName = Field(description="The dense file whose model gives the vectors for diversity.")
    sample: Count = Field(
        default=1000, description="Texts for what compares all with all: self-BLEU, cosine, clusters."
    )
    refusals: tuple[str, ...] = Field(
        default=("as an ai", "i cannot", "i can't", "i'm sorry", "here is a passage", "here's a passage"),
        description="A passage that has one of these in its first 100 characters, in lower case, counts as a refusal "
        "or as talk about itself.",
    )
    leaks: LeakTests = LeakTests(ngrams=(8, 13))
    seed: int = 13


class Bias(Entity):
    """Whether rankers prefer passages that a language model wrote: test sets of mixed corpora."""

    suites: tuple[SuiteName, ...] = Field(min_length=1)
    measure: MeasureName = "nDCG@10"


class Shards(Entity):
    """How many jobs share one step's work. Other counts give the same results, by other files: they are made again.

    Jobs that ask a hosted LLM run one at a time, so that its limits hold: sharing their work is allowed and useless.
    """

    encode: Count = Field(default=1, description="Vectors and term weights of a collection.")
    write: Count = Field(default=1, description="Passages and queries that a model writes.")
    rerank: Count = Field(default=1, description="Lists that a trained ranker reorders.")
    order: Count = Field(default=1, description="Candidates that a language model orders.")


Part = Literal["queries", "negatives", "exemplars", "generation", "training"]
"""A part of a training that seeds may move."""


class Experiment(Entity):
    """An experiment: it names entities and how to average, nothing else."""

    llms: Annotated[tuple[Name, ...], Names("llms")] = Field(
        description="Generators; every recipe with generated passages is made with each."
    )
    recipes: tuple[RecipeName, ...] = Field(min_length=1, description="Training sets to compare.")
    rankers: Annotated[tuple[Name, ...], Names("rankers")] = Field(
        min_length=1, description="Models trained on each of them."
    )
    seeds: tuple[Count, ...] = Field(
        min_length=1, description="Training seeds, each once; one checkpoint each, on data of its own as `vary` says."
    )
    vary: tuple[Part, ...] = Field(
        default=("queries", "negatives", "exemplars", "training"),
        description="What a training seed moves, beside the checkpoint's name: `queries`, which training queries a "
        "recipe of kind pairs or graded takes and which positives of theirs; `negatives`, which negatives; "
        "`exemplars`, what prompts show; `generation`, the LLM's sample, which is paid for once a seed and is the same "
        "for a model that does not sample; `training`, the order of the data, new weights and dropout. What is not "
        "named is the same for all seeds. Statements about chance speak of other seeds in what is named, and of "
        "nothing else.",
    )
    suites: Annotated[tuple[Name, ...], Names("suites")] = Field(min_length=1, description="Test sets, by suite.")
    first_stages: Annotated[tuple[Name, ...], Names("retrievers")] = Field(
        default=(), description="Retrievers that get rows of their own."
    )
    measures: tuple[MeasureName, ...] = Field(
        min_length=1, description="Names as ir_measures reads them, nDCG@10 first."
    )
    intervals: Intervals = Intervals()
    claims: Claims | None = Field(default=None, description="What results/tables/claims.csv tests.")
    enrichment: Enrichment | None = Field(default=None, description="What results/tables/enrichment.csv compares.")
    sizes: Sizes | None = Field(default=None, description="What results/tables/sizes.csv compares.")
    validity: Validity | None = Field(default=None, description="What results/tables/validity.csv and leaks.csv hold.")
    bias: Bias | None = Field(default=None, description="What results/tables/bias.csv compares.")
    twolar: Twolar | None = Field(default=None, description="What results/tables/twolar.csv and the ablations hold.")
    shards: Shards = Shards()
    budget_usd: float | None = Field(
        default=None,
        ge=0,
        description="The most that all replies in the store, imported ones included, may have cost together, in US "
        "dollars; a request that could exceed it is not sent. Null is no limit.",
    )

    @property
    def stated_claims(self) -> tuple[Claim, ...]:
        """Its claims; none without the section."""
        return tuple(self.claims.claims.values()) if self.claims else ()

    @field_validator("seeds", "vary")
    @classmethod
    def _each_once(cls, values: tuple[int | str, ...]) -> tuple[int | str, ...]:
        twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
        if twice is not None:
            raise ValueError(f"{twice!r} is named twice; name each once")
        return values
