"""``config/recipes``: what goes into a training set."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import AugmentationName, CorpusName, Count, Entity, ParadigmName, RetrieverName, Share


class Positives(Entity):
    """Positives from one paradigm."""

    paradigm: ParadigmName
    queries: Count = Field(
        description="How many queries; the same seeded order of queries serves every recipe, so a smaller size is "
        "contained in a larger one."
    )
    per_query: Count = Field(default=1, description="Positives a query, the best grade first.")


class Guard(Entity):
    """Which candidates may be positives in truth, and are not taken as negatives."""

    known_positives: bool = Field(default=True, description="Leave out every passage judged relevant to the query.")
    skip_top: int = Field(default=0, ge=0, description="Leave out this many candidates from the top of the run.")
    max_overlap: Share = Field(
        default=1.0, description="Leave out candidates that share more than this part of the positive's words."
    )


class Negatives(Entity):
    """Where negatives come from."""

    source: Literal["human", "same"] = Field(
        description="`human`: passages of the corpus; `same`: the collection the positive came from, that is the "
        "corpus for human positives and the paradigm's written passages for generated ones."
    )
    retriever: RetrieverName
    depth: Count = Field(default=100, description="How deep into the run.")
    count: Count = Field(default=4, description="Negatives a positive.")
    guard: Guard = Guard()


class PairsRecipe(Entity):
    """Positives of one or several paradigms against retrieved negatives, labels 1 and 0."""

    kind: Literal["pairs"]
    corpus: CorpusName
    positives: tuple[Positives, ...] = Field(min_length=1)
    negatives: Negatives
    seed: int = Field(default=13, description="Seed of the order of queries and of the choice of negatives.")


class DistilRecipe(Entity):
    """Candidates of a first stage labelled with a dense model's similarity; needs no judgments and no LLM."""

    kind: Literal["distil"]
    corpus: CorpusName
    queries: AugmentationName = Field(description="A file of config/augmentations.")
    retriever: RetrieverName = Field(description="The first stage that gives the candidates.")
    depth: Count = Field(default=8, description="Candidates a query.")
    teacher: RetrieverName = Field(description="A dense file of config/retrievers whose cosine is the label.")


RecipeSpec = Annotated[PairsRecipe | DistilRecipe, Field(discriminator="kind")]
