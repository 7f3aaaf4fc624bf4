"""``config/recipes``: the content of a training set."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.config.base import (
    AugmentationName,
    CorpusName,
    Count,
    Entity,
    Name,
    ParadigmName,
    PoolName,
    RankerName,
    RankingName,
    RetrieverName,
    Share,
    TestsetName,
)
from synthrank.config.filters import FilterSpec
from synthrank.config.leaks import LeakTests


class Positives(Entity):
    """Positives from one paradigm."""

    paradigm: ParadigmName = Field(description="The paradigm of the positives.")
    queries: Count = Field(
        description="The number of queries. All recipes use the same seeded order, so a larger size contains all "
        "smaller ones."
    )
    per_query: Count = Field(
        default=1, description="Positives per query, by grade from the best, then in a seeded order."
    )
    filter: FilterSpec | None = Field(
        default=None,
        description="Selects which passages of the paradigm may be positives. Dropped passages are counted. A query "
        "that loses all its passages is replaced by the next query of the order. null: no filter.",
    )


class Guard(Entity):
    """Candidates that may be relevant and are not used as negatives."""

    known_positives: bool = Field(default=True, description="Exclude passages that are judged relevant to the query.")
    skip_top: int = Field(default=0, ge=0, description="Exclude this many candidates from the top of the run.")
    max_overlap: Share = Field(
        default=1.0, description="Exclude candidates that share more than this part of the positive's words."
    )
    max_share_of_positive: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Exclude candidates whose score is above this share of the positive's score. 0.95 is common "
        "(TopK-PercPos of NV-Retriever, `relative_margin` 0.05 of sentence-transformers). null: no limit.",
    )
    scored_by: RetrieverName | None = Field(
        default=None,
        description="The dense retriever whose similarities `max_share_of_positive` compares. null: the scores of the "
        "run with the candidates. A positive that is missing from the run has no limit and is counted.",
    )

    @model_validator(mode="after")
    def _scores_for_a_limit(self) -> "Guard":
        if self.scored_by and self.max_share_of_positive is None:
            raise ValueError("scored_by has no effect without max_share_of_positive; state both or neither")
        return self


class Negatives(Entity):
    """The source of negatives."""

    source: Literal["human", "same"] = Field(
        description="`human`: passages of the corpus. `same`: the collection of the positive, which is the corpus for "
        "human passages and the paradigm's passages for generated ones. For imported passages with `by: passage`, "
        "`same` uses the imported wording of the passages that `human` selects."
    )
    retriever: RetrieverName = Field(description="The retriever whose run contains the candidates.")
    depth: Count = Field(default=100, description="Candidates from the top of the run.")
    count: Count = Field(default=4, description="Negatives per positive.")
    guard: Guard = Field(default=Guard(), description="Candidates to exclude because they may be relevant.")


class DroppedLeaks(LeakTests):
    """Exclude training queries and passages that overlap with test sets."""

    testsets: tuple[TestsetName, ...] = Field(min_length=1, description="The test sets to compare with.")


class PairsRecipe(Entity):
    """Positives of one or more paradigms with label 1, and retrieved negatives with label 0."""

    kind: Literal["pairs"] = Field(description="The kind of recipe.")
    corpus: CorpusName = Field(description="The corpus with the training queries.")
    positives: tuple[Positives, ...] = Field(min_length=1, description="Positives, per paradigm.")
    negatives: Negatives = Field(description="The source and number of negatives.")
    drop_leaks: DroppedLeaks | None = Field(
        default=None, description="Exclude queries and passages that overlap with test sets; null: none."
    )
    teacher: RankerName | None = Field(
        default=None,
        description="A reranker of config/rankers. Its pretrained model scores every passage for rankers with the loss "
        "`kl-divergence`. The scores must be logits. Labels stay 1 and 0, so other losses do not change. null: none.",
    )
    more_pairs: bool = Field(
        default=False,
        description="Allow claims to compare this recipe with a recipe that has fewer pairs of query and positive, as "
        "in enrichment. Without it, such a claim is an error.",
    )
    seed: int = Field(
        default=13,
        description="Seed of the order of queries, of positives among equal grades and of the choice of negatives.",
    )

    @property
    def paradigms(self) -> tuple[str, ...]:
        """The paradigms of its positives, in their order."""
        return tuple(item.paradigm for item in self.positives)

    @property
    def size(self) -> int:
        """The number of queries, as the maximum over its paradigms."""
        return max(item.queries for item in self.positives)

    @property
    def pairs(self) -> int:
        """The maximum number of pairs of query and positive. Queries with few relevant passages have fewer pairs."""
        return sum(item.queries * item.per_query for item in self.positives)

    def sized(self, queries: int) -> "PairsRecipe":
        """Return the recipe with another number of queries per paradigm."""
        return self.model_copy(
            update={"positives": tuple(item.model_copy(update={"queries": queries}) for item in self.positives)}
        )


class GradedRecipe(Entity):
    """Generated passages of several levels of relevance as labels, for a listwise loss (SyCL)."""

    kind: Literal["graded"] = Field(description="The kind of recipe.")
    corpus: CorpusName = Field(description="The corpus with the training queries.")
    paradigm: ParadigmName = Field(description="A graded paradigm.")
    queries: Count = Field(description="The number of queries, in the same order as in recipes of kind pairs.")
    human_label: float | None = Field(
        default=None,
        description="Add the best human passage of each query with this label (SyCL: 3). A query without a human "
        "passage is skipped and counted. null: add none.",
    )
    negatives: Negatives | None = Field(default=None, description="Retrieved passages to add; null: none.")
    negative_label: float = Field(default=0, description="Label of negatives (SyCL: 1, if a level 0 is generated).")
    drop_leaks: DroppedLeaks | None = Field(
        default=None, description="Exclude queries and passages that overlap with test sets; null: none."
    )
    seed: int = Field(
        default=13,
        description="Seed of the order of queries, of positives among equal grades and of the choice of negatives.",
    )

    @property
    def paradigms(self) -> tuple[str, ...]:
        """The paradigm, as a tuple."""
        return (self.paradigm,)

    @property
    def size(self) -> int:
        """The number of queries."""
        return self.queries

    def sized(self, queries: int) -> "GradedRecipe":
        """Return the recipe with another number of queries."""
        return self.model_copy(update={"queries": queries})


class DistilRecipe(Entity):
    """Candidates of a first stage, labelled with the similarity of a dense model. It needs no qrels and no LLM."""

    kind: Literal["distil"] = Field(description="The kind of recipe.")
    corpus: CorpusName = Field(description="The corpus with the passages.")
    queries: AugmentationName = Field(description="The augmentation that makes the queries.")
    retriever: RetrieverName = Field(description="The first stage that retrieves the candidates.")
    depth: Count = Field(default=8, description="Candidates per query.")
    teacher: RetrieverName = Field(description="A dense retriever whose cosine is the label.")


class _Ordered(Entity):
    """Keys of recipes that train on a ranking."""

    corpus: CorpusName = Field(description="The corpus with the passages.")
    depth: Count = Field(default=30, description="Passages from the top of each ranking; TWOLAR uses 30.")
    label: Literal["reciprocal-rank", "rank"] = Field(
        default="reciprocal-rank",
        description="`reciprocal-rank`: 1 / rank, as in the published training. `rank`: from 1 at the top to 1 / "
        "length at the end, in equal steps.",
    )
    pad_short_lists_with_fake_passages: bool = Field(
        default=False,
        description="Fill rankings shorter than `depth` with passages of the text <padding_passage> at the end, as the "
        "published code does. These passages then take part in the loss.",
    )


class OrderRecipe(_Ordered):
    """A language model's rankings of pooled candidates: TWOLAR's distillation set."""

    kind: Literal["order"] = Field(description="The kind of recipe.")
    queries: Name = Field(description="An augmentation, or a split of the corpus.")
    pool: PoolName = Field(description="The candidates.")
    ranking: RankingName = Field(description="The method by which the language model ranks them.")
    source: RetrieverName | None = Field(
        default=None,
        description="Use only the queries whose candidates come from this source of the pool, if the pool takes one "
        "source per query. The rankings are shared by all sources, so the language model gets no other requests.",
    )
    max_queries: Count | None = Field(
        default=None, description="The maximum number of queries, taken from a seeded order; null: all."
    )
    seed: int = Field(default=13, description="Seed of the order of queries.")


class TeacherRecipe(_Ordered):
    """Rankings in external files."""

    kind: Literal["teacher"] = Field(description="The kind of recipe.")
    split: Name | None = Field(
        description="The split with the training queries; other queries of the files are excluded. null: all queries "
        "except those of held-out splits, for files whose queries are in no split, such as the published set."
    )
    files: tuple[str, ...] = Field(
        min_length=1, description="Files under the directory of SYNTHRANK_DATA, by default data/."
    )
    format: Literal["trec", "ids", "records"] = Field(
        description="`trec`: a run. `ids`: JSON lines with a query id and a list of passage ids. `records`: the "
        "published distillation set (query, positive_passages, retrieved_passages)."
    )
    query_key: str = Field(default="qid", description="The key of the query id in the format `ids`.")
    order_key: str = Field(default="final", description="The key of the ranking in the format `ids`.")
    unknown_passages: Literal["refuse", "drop"] = Field(
        default="refuse",
        description="A passage without text that is not in the corpus is an error, or is dropped and counted.",
    )


RecipeSpec = Annotated[
    PairsRecipe | GradedRecipe | DistilRecipe | OrderRecipe | TeacherRecipe, Field(discriminator="kind")
]

Sized = PairsRecipe | GradedRecipe
"""Recipes that ``@N`` can give another number of queries."""


def base_and_size(name: str) -> tuple[str, int]:
    """Return the name of a recipe's file and the number after ``@``, 0 without ``@``."""
    base, _, size = name.partition("@")
    return base, int(size or 0)
