"""``config/config.yaml`` and other experiments: the entities that an experiment combines."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from synthrank.config.base import (
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
from synthrank.config.leaks import LeakTests
from synthrank.config.measures import MeasureName

STAGES = frozenset(
    "checkpoints corpora figures metrics models passages queries rankings releases "
    "report runs tables trainsets validity".split()
)
"""The stages. Each has a folder of its name under ``results/``, except report, which makes a file."""

RESERVED = STAGES | {"benchmarks", "logs", "report.html", "store"}
"""Reserved names: folders and files of the workflow under ``results/``."""


class Intervals(Entity):
    """Settings of intervals and tests in tables."""

    resamples: Count = Field(
        default=10_000,
        description="Resamples of the bootstrap, and sampled permutations of a test with too many for all.",
    )
    confidence: float = Field(default=0.95, gt=0, lt=1, description="Confidence level of intervals.")
    seed: int = Field(default=13, description="Seed of resamples and permutations.")


class Ablation(Entity):
    """Systems that differ in one setting: every recipe with every ranker."""

    recipes: tuple[RecipeName, ...] = Field(min_length=1, description="Training sets.")
    rankers: tuple[RankerName, ...] = Field(min_length=1, description="Rankers, trained on each of them.")


class Twolar(Entity):
    """The distillation study: rankers that learn a language model's rankings, next to published scores."""

    llms: tuple[LlmName, ...] = Field(default=(), description="Teachers; every recipe of kind order is made with each.")
    recipes: tuple[RecipeName, ...] = Field(min_length=1, description="Training sets.")
    rankers: tuple[RankerName, ...] = Field(min_length=1, description="Students.")
    untrained: tuple[RankerName, ...] = Field(
        default=(), description="Rankers that are evaluated without training, such as released checkpoints."
    )
    suites: tuple[SuiteName, ...] = Field(
        default=(),
        description="Suites of this study; by default those of the experiment. Test sets of one corpus may state "
        "different first stages, so a student can rerank several.",
    )
    first_stages: tuple[RetrieverName, ...] = Field(default=(), description="Retrievers to evaluate as systems.")
    measures: tuple[MeasureName, ...] = Field(
        default=("nDCG@1", "nDCG@5", "nDCG@10"), description="Measures of the table twolar.csv."
    )
    published: PublishedName | None = Field(default=None, description="Published results to show; null: none.")
    ablations: dict[Name, Ablation] = Field(
        default_factory=dict, description="Ablations by name; each has a table ablation-NAME.csv."
    )


class Claim(Entity):
    """A claim: training sets compared with a control, with the same rankers."""

    statement: str = Field(description="The claim in words, as tables print it.")
    expects: Literal["gain", "loss", "non-inferiority", "equivalence", "no-gain"] = Field(
        description="The expected mean of the treatment compared with the control. `gain`: higher. `loss`: lower. "
        "`non-inferiority`: not lower by the margin. `equivalence`: not different by the margin. `no-gain`: not higher "
        "by the margin."
    )
    distribution: Literal["id", "ood", "both"] = Field(
        description="`id`: test sets of the recipes' corpus. `ood`: all others. `both`: one row for each of the two. "
        "Within a row, all test sets have the same weight."
    )
    treatment: tuple[RecipeName, ...] = Field(
        min_length=1,
        description="Recipes to compare with the control, one row per recipe. Scores are averaged over LLMs, and the "
        "effect of each LLM is shown.",
    )
    control: RecipeName = Field(description="The recipe that treatments are compared with.")
    gate: RecipeName | None = Field(
        default=None,
        description="The recipe of human passages whose gain over the untrained ranker must exceed the margin. "
        "Otherwise the row is insensitive. null: the control.",
    )
    rankers: tuple[RankerName, ...] = Field(min_length=1, description="Rankers, one row per ranker.")

    @property
    def human(self) -> str:
        """The recipe of human passages that tests whether training helps."""
        return self.gate or self.control

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipes of the claim, each once."""
        return tuple(dict.fromkeys((*self.treatment, self.control, self.human)))

    @property
    def distributions(self) -> tuple[Literal["id", "ood"], ...]:
        """The distributions of the claim, one row per distribution."""
        return ("id", "ood") if self.distribution == "both" else (self.distribution,)


class Claims(Entity):
    """A family of claims that is tested together. It is stated before anything runs."""

    measure: MeasureName = Field(default="nDCG@10", description="The measure of all claims.")
    margin: float = Field(gt=0, lt=1, description="The smallest difference that matters, in units of the measure.")
    alpha: float = Field(default=0.05, gt=0, lt=1, description="Significance level of the whole family.")
    over: tuple[Literal["queries", "seeds"], ...] = Field(
        default=("queries", "seeds"),
        description="The populations that claims cover: other queries and, with two seeds or more, other seeds.",
    )
    permutations: Count = Field(
        default=100_000, description="Permutations of each test and of the correction for the family."
    )
    first_look: int | None = Field(
        default=None,
        ge=2,
        description="The number of training seeds at the first test, if seeds are added until claims are settled. "
        "Claims are then tested with e-values, which are valid at every later number of seeds, but need larger "
        "effects. null: no seed is added because of a result.",
    )
    claims: dict[Name, Claim] = Field(min_length=1, description="Claims by name.")

    @field_validator("over")
    @classmethod
    def _queries(cls, over: tuple[str, ...]) -> tuple[str, ...]:
        if "queries" not in over or len(set(over)) < len(over):
            raise ValueError("state [queries] or [queries, seeds]")
        return over


class Enrichment(Entity):
    """Human passages compared with the same plus generated passages, and plus other human passages."""

    base: RecipeName = Field(description="The recipe with only human passages.")
    control: RecipeName | None = Field(
        description="The recipe with as many additional human passages as enrichment adds; null: none."
    )
    enriched: tuple[RecipeName, ...] = Field(
        min_length=1, description="The recipes with additional generated passages."
    )
    rankers: tuple[RankerName, ...] = Field(default=(), description="Rankers; by default those of the experiment.")


class Sizes(Entity):
    """The effect of the number of queries: each recipe with each size and its own. Smaller sizes are subsets."""

    recipes: Annotated[tuple[Name, ...], Names("recipes")] = Field(min_length=1, description="The recipes.")
    queries: tuple[Count, ...] = Field(
        min_length=1, description="Sizes in queries, without those of the recipes' files."
    )
    rankers: tuple[RankerName, ...] = Field(default=(), description="Rankers; by default those of the experiment.")
    seeds: tuple[int, ...] = Field(
        default=(), description="Training seeds; by default those of the experiment. Fewer seeds reduce the cost."
    )

    @property
    def names(self) -> list[str]:
        """Per recipe ``recipe@N`` for every size N, then the recipe with its own size."""
        return [name for recipe in self.recipes for name in (*(f"{recipe}@{n}" for n in self.queries), recipe)]


class Validity(Entity):
    """Measures of every training set."""

    retriever: RetrieverName = Field(description="The dense retriever whose model encodes texts, to measure diversity.")
    sample: Count = Field(
        default=1000, description="Sampled texts for self-BLEU, cosines and clusters, which compare all pairs."
    )
    refusals: tuple[str, ...] = Field(
        default=("as an ai", "i cannot", "i can't", "i'm sorry", "here is a passage", "here's a passage"),
        description="A passage with one of these in its first 100 characters, in lower case, counts as a refusal or "
        "as talk about the reply.",
    )
    leaks: LeakTests = Field(default=LeakTests(ngrams=(8, 13)), description="Tests for overlap with test sets.")
    seed: int = Field(default=13, description="Seed of the sample.")


class Bias(Entity):
    """The preference of rankers for generated passages, on test sets of mixed corpora."""

    suites: tuple[SuiteName, ...] = Field(min_length=1, description="Suites of test sets of mixed corpora.")
    measure: MeasureName = Field(default="nDCG@10", description="The measure of the comparison.")


class Shards(Entity):
    """The number of jobs per step. Another number gives the same results, but runs the step again.

    Shards have no effect with a hosted LLM, because its jobs run one at a time to keep its rate limits.
    """

    encode: Count = Field(default=1, description="Jobs for vectors and term weights of a corpus.")
    write: Count = Field(default=1, description="Jobs for passages and queries of a language model.")
    rerank: Count = Field(default=1, description="Jobs for rankings of a trained ranker.")
    order: Count = Field(default=1, description="Jobs for rankings of a language model.")


VariedPart = Literal["queries", "negatives", "exemplars", "generation", "training"]
"""A part of training that may differ between seeds."""


class Experiment(Entity):
    """An experiment: the entities to combine and the settings of tables."""

    name: Name | None = Field(
        default=None,
        description="The name of this file without .yaml. Tables, figures and report are then in results/NAME, so "
        "experiments do not overwrite each other. null: in results.",
    )
    llms: Annotated[tuple[Name, ...], Names("llms")] = Field(
        description="Language models; every recipe with generated passages is made with each."
    )
    recipes: tuple[RecipeName, ...] = Field(min_length=1, description="Training sets to compare.")
    rankers: Annotated[tuple[Name, ...], Names("rankers")] = Field(
        min_length=1, description="Rankers, trained on each of them."
    )
    seeds: tuple[Count, ...] = Field(
        min_length=1, description="Training seeds. Each trains one checkpoint, on its own draw of the parts in `vary`."
    )
    vary: tuple[VariedPart, ...] = Field(
        default=("queries", "negatives", "exemplars", "training"),
        description="The parts that differ between training seeds. `queries`: training queries and their positives in "
        "recipes of kind pairs or graded. `negatives`: the choice of negatives. `exemplars`: exemplars in prompts. "
        "`generation`: samples of the LLM, which cost once per seed and do not differ without sampling. `training`: "
        "order of the data, new weights and dropout. All seeds share the other parts. p-values and intervals over "
        "seeds cover only the listed parts.",
    )
    suites: Annotated[tuple[Name, ...], Names("suites")] = Field(min_length=1, description="Suites of test sets.")
    first_stages: Annotated[tuple[Name, ...], Names("retrievers")] = Field(
        default=(), description="Retrievers to evaluate as systems."
    )
    measures: tuple[MeasureName, ...] = Field(
        min_length=1, description="Measures in the notation of ir_measures; the first is the main one."
    )
    intervals: Intervals = Field(default=Intervals(), description="Settings of intervals and tests.")
    claims: Claims | None = Field(default=None, description="The claims of the table claims.csv; null: no table.")
    enrichment: Enrichment | None = Field(default=None, description="The comparison of enrichment.csv; null: no table.")
    sizes: Sizes | None = Field(default=None, description="The comparison of sizes.csv; null: no table.")
    validity: Validity | None = Field(
        default=None, description="The measures of validity.csv and leaks.csv; null: no tables."
    )
    bias: Bias | None = Field(default=None, description="The comparison of bias.csv; null: no table.")
    twolar: Twolar | None = Field(
        default=None, description="The distillation study of twolar.csv and the ablations; null: no tables."
    )
    shards: Shards = Field(default=Shards(), description="The number of jobs per step.")
    budget_usd: float | None = Field(
        default=None,
        ge=0,
        description="The maximum cost in US dollars of all replies in the store, including imported ones. A request "
        "that could exceed it is not sent. null: no limit.",
    )

    @property
    def stated_claims(self) -> tuple[Claim, ...]:
        """The claims, empty without the section ``claims``."""
        return tuple(self.claims.claims.values()) if self.claims else ()

    @property
    def folder(self) -> str:
        """The folder of tables under ``results/``: ``NAME/``, or empty without a name."""
        return f"{self.name}/" if self.name else ""

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str | None) -> str | None:
        if name in RESERVED:
            raise ValueError(f"results/{name} belongs to the workflow; use the name of the file")
        return name

    @field_validator("seeds", "vary")
    @classmethod
    def _each_once(cls, values: tuple[int | str, ...]) -> tuple[int | str, ...]:
        twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
        if twice is not None:
            raise ValueError(f"{twice!r} occurs twice; state it once")
        return values
