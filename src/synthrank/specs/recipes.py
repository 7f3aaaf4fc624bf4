"""``config/recipes``: what goes into a training set."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.specs.base import (
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
from synthrank.specs.filters import FilterSpec
from synthrank.specs.leaks import LeakTests


class Positives(Entity):
    """Positives from one paradigm."""

    paradigm: ParadigmName
    queries: Count = Field(
        description="How many queries; the same seeded order of queries serves every recipe, so a smaller size is "
        "contained in a larger one."
    )
    per_query: Count = Field(
        default=1, description="Positives a query, the best grade first, those of equal grade in a seeded order."
    )
    filter: FilterSpec | None = Field(
        default=None,
        description="Which passages of the paradigm may be positives. What it drops is counted, and further queries of "
        "the order take the place of those that lose all. null: all may.",
    )


class Guard(Entity):
    """Which candidates may be positives in truth, and are not taken as negatives."""

    known_positives: bool = Field(default=True, description="Leave out every passage judged relevant to the query.")
    skip_top: int = Field(default=0, ge=0, description="Leave out this many candidates from the top of the run.")
    max_overlap: Share = Field(
        default=1.0, description="Leave out candidates that share more than this part of the positive's words."
    )
    max_share_of_positive: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Leave out candidates whose score is above this share of the positive's; 0.95 is usual "
        "(NV-Retriever's TopK-PercPos, `relative_margin` 0.05 of sentence-transformers). null: no such limit.",
    )
    scored_by: RetrieverName | None = Field(
        default=None,
        description="The dense retriever whose similarities `max_share_of_positive` compares. null: the scores of the "
        "run that candidates come from, where it has the positive; one that it lacks has no limit and is counted.",
    )

    @model_validator(mode="after")
    def _scores_for_a_limit(self) -> "Guard":
        if self.scored_by and self.max_share_of_positive is None:
            raise ValueError("scored_by serves max_share_of_positive, which is not stated; state both or neither")
        return self


class Negatives(Entity):
    """Where negatives come from."""

    source: Literal["human", "same"] = Field(
        description="`human`: passages of the corpus; `same`: the collection the positive came from, that is the "
        "corpus for human passages, whoever asked the queries, and the paradigm's written passages for generated "
        "ones. For imported ones that are keyed by passage these are the passages that `human` takes, in their other "
        "wording."
    )
    retriever: RetrieverName
    depth: Count = Field(default=100, description="How deep into the run.")
    count: Count = Field(default=4, description="Negatives a positive.")
    guard: Guard = Guard()


class DroppedLeaks(LeakTests):
    """Which training queries and passages are left out because a test set holds them, or something like them."""

    testsets: tuple[TestsetName, ...] = Field(min_length=1)


class PairsRecipe(Entity):
    """Positives of one or several paradigms against retrieved negatives, labels 1 and 0."""

    kind: Literal["pairs"]
    corpus: CorpusName
    positives: tuple[Positives, ...] = Field(min_length=1)
    negatives: Negatives
    drop_leaks: DroppedLeaks | None = Field(default=None, description="What test sets hold too is left out.")
    teacher: RankerName | None = Field(
        default=None,
        description="A reranker's file of config/rankers whose pretrained model scores every passage for "
        "its query, for rankers with the loss `kl-divergence`. Its scores must be logits. Labels stay 1 and 0, so that "
        "all other losses train as without it. null: no scores.",
    )
    more_pairs: bool = Field(
        default=False,
        description="This recipe is meant to have more pairs of a query and a positive than what it is compared with, "
        "as enrichment has. A claim that compares unequal numbers of other recipes is refused.",
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
        """How many queries it has, the most of any paradigm."""
        return max(item.queries for item in self.positives)

    @property
    def pairs(self) -> int:
        """How many pairs of a query and a positive it asks for; a query with fewer relevant passages has fewer."""
        return sum(item.queries * item.per_query for item in self.positives)

    def sized(self, queries: int) -> "PairsRecipe":
        """Return the recipe with another number of queries of each paradigm."""
        return self.model_copy(
            update={"positives": tuple(item.model_copy(update={"queries": queries}) for item in self.positives)}
        )


class GradedRecipe(Entity):
    """Written passages of several levels of relevance, labelled with their level, for a loss over the list (SyCL)."""

    kind: Literal["graded"]
    corpus: CorpusName
    paradigm: ParadigmName = Field(description="A graded paradigm.")
    queries: Count = Field(description="How many queries, in the order that recipes of pairs walk too.")
    human_label: float | None = Field(
        default=None,
        description="Put the best human passage of each query in, with this label (SyCL: 3); null for none. A query "
        "without one is passed over and counted.",
    )
    negatives: Negatives | None = Field(default=None, description="Retrieved passages to put in; null for none.")
    negative_label: float = Field(default=0, description="Their label (SyCL: 1, where a level 0 is written).")
    drop_leaks: DroppedLeaks | None = Field(default=None, description="What test sets hold too is left out.")
    seed: int = Field(
        default=13,
        description="Seed of the order of queries, of positives among equal grades and of the choice of negatives.",
    )

    @property
    def paradigms(self) -> tuple[str, ...]:
        """Its paradigm."""
        return (self.paradigm,)

    @property
    def size(self) -> int:
        """How many queries it has."""
        return self.queries

    def sized(self, queries: int) -> "GradedRecipe":
        """Return the recipe with another number of queries."""
        return self.model_copy(update={"queries": queries})


class DistilRecipe(Entity):
    """Candidates of a first stage labelled with a dense model's similarity; needs no qrels and no LLM."""

    kind: Literal["distil"]
    corpus: CorpusName
    queries: AugmentationName = Field(description="A file of config/augmentations.")
    retriever: RetrieverName = Field(description="The first stage that gives the candidates.")
    depth: Count = Field(default=8, description="Candidates a query.")
    teacher: RetrieverName = Field(description="A dense file of config/retrievers whose cosine is the label.")


class _Ordered(Entity):
    """What recipes state that train on the order of a ranker."""

    corpus: CorpusName
    depth: Count = Field(default=30, description="Passages of each order, from its top; TWOLAR trains on 30.")
    label: Literal["reciprocal-rank", "rank"] = Field(
        default="reciprocal-rank",
        description="`reciprocal-rank`: 1 / rank, as the published training does; `rank`: from 1 at the top to 1 / "
        "length at the end, in equal steps.",
    )
    pad_short_lists_with_fake_passages: bool = Field(
        default=False,
        description="Fill lists below `depth` with the text <padding_passage> as worst-ranked passages, as the "
        "published code does; such passages then take part in the loss.",
    )


class OrderRecipe(_Ordered):
    """Orders that a language model gave to pooled candidates: TWOLAR's distillation set."""

    kind: Literal["order"]
    queries: Name = Field(description="A file of config/augmentations, or a split of the corpus.")
    pool: PoolName
    ranking: RankingName
    source: RetrieverName | None = Field(
        default=None,
        description="Only the queries whose candidates this source of the pool gave, where each query takes one "
        "source's list; the same orders serve every source, and no language model is asked again.",
    )
    max_queries: Count | None = Field(
        default=None, description="At most this many queries, the first of a seeded order."
    )
    seed: int = 13


class TeacherRecipe(_Ordered):
    """Orders that others recorded, in files of their own."""

    kind: Literal["teacher"]
    split: Name | None = Field(
        description="The split of the corpus whose queries may train; others in the files are left out. null: all may "
        "but those that a held-out split asks, for files whose queries no split has, as the published set's."
    )
    files: tuple[str, ...] = Field(
        min_length=1, description="Under the directory that SYNTHRANK_DATA names (default data/)."
    )
    format: Literal["trec", "ids", "records"] = Field(
        description="`trec`: a run; `ids`: JSON lines with a query id and a list of passage ids; `records`: the "
        "published distillation set (query, positive_passages, retrieved_passages)."
    )
    query_key: str = Field(default="qid", description="Where the format is `ids`: the key of the query id.")
    order_key: str = Field(default="final", description="Where the format is `ids`: the key of the list, best first.")
    unknown_passages: Literal["refuse", "drop"] = Field(
        default="refuse", description="What becomes of a passage that is neither in the corpus nor has a text; counted."
    )


RecipeSpec = Annotated[
    PairsRecipe | GradedRecipe | DistilRecipe | OrderRecipe | TeacherRecipe, Field(discriminator="kind")
]

Sized = PairsRecipe | GradedRecipe
"""Recipes that can be named with ``@N`` for another number of queries."""


def base_and_size(name: str) -> tuple[str, int]:
    """Return the file's name of a recipe and the queries after its ``@``, 0 for what its file says."""
    base, _, size = name.partition("@")
    return base, int(size or 0)
