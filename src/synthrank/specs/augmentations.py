"""``config/augmentations``: queries made from the passages of a corpus, and which of them are kept."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import (
    AugmentationName,
    Count,
    Entity,
    LlmName,
    ModelName,
    PromptName,
    RetrieverName,
    Share,
    TestsetName,
)


class RoundTrip(Entity):
    """Keep a query only if the passage it was made from is found by it (Alberti et al. 2019; Promptagator)."""

    retriever: RetrieverName
    depth: Count = Field(default=20, description="The passage must be among this many.")


class Filters(Entity):
    """Which queries are kept; what each filter drops is counted."""

    duplicates: bool = Field(
        default=True, description="Of queries that differ in case and spaces alone keep the first."
    )
    testsets: tuple[TestsetName, ...] = Field(
        default=(), description="Drop queries that overlap with a query of these test sets."
    )
    max_overlap: Share = Field(
        default=0.8, description="Two queries overlap if they share this part of their distinct words (Jaccard)."
    )
    round_trip: RoundTrip | None = None


class _Augmentation(Entity):
    """What every kind of augmentation states."""

    count: Count = Field(description="At most this many queries, the first of a seeded order, before the filters.")
    seed: int = Field(default=13, description="Seed of that order.")
    filters: Filters = Filters()

    @property
    def most(self) -> int:
        """How many queries it makes at most, before its filters."""
        return self.count


class TitleQueries(_Augmentation):
    """Titles of passages as queries, each distinct title once."""

    kind: Literal["title"]
    min_words: Count = 2


class CropQueries(_Augmentation):
    """Sentences of passages as queries (Lin et al. 2023, DRAGON: every sentence of a passage is one query)."""

    kind: Literal["crop"]
    language: str = Field(
        default="en", description="Rules of sentence ends, as the package sentence-splitter names it."
    )
    min_words: Count | None = Field(default=None, description="Shorter sentences are left out; none are by default.")
    max_words: Count | None = Field(default=None, description="Longer sentences are left out; none are by default.")


class Doc2QueryQueries(_Augmentation):
    """Queries that a sequence-to-sequence model predicts from passages (Nogueira and Lin 2019, docT5query)."""

    kind: Literal["doc2query"]
    model: ModelName = Field(description="A file of config/models: castorini/doc2query-t5-base-msmarco and its kin.")
    per_passage: Count = Field(default=1, description="Queries sampled from each passage.")
    top_k: Count = Field(default=10, description="Sample from this many likeliest tokens; docT5query used 10.")
    temperature: float = Field(default=1.0, gt=0)
    max_new_tokens: Count = 64
    max_length: Count = Field(default=512, description="Tokens of a passage that are read.")
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_size: Count = 32


class LlmQueries(_Augmentation):
    """Queries that a language model writes for passages (InPars 2022; Promptagator 2023)."""

    kind: Literal["llm-query"]
    prompt: PromptName = Field(description="A file of config/prompts with task `queries`.")
    llm: LlmName
    per_passage: Count = Field(default=1, description="Queries kept of each reply.")
    exemplars: Count | None = Field(
        default=None, description="Human query-passage pairs in each prompt, out of the training split; null for none."
    )
    passage_words: Count = Field(default=200, description="Words of a passage that the prompt shows.")


class Part(Entity):
    """One ingredient of a mixture."""

    augmentation: AugmentationName
    count: Count = Field(description="Queries taken, the first of its seeded order after its filters.")


class MixedQueries(Entity):
    """Queries of several augmentations in a stated ratio; TWOLAR mixes 10 000 cropped and 10 000 docT5query ones."""

    kind: Literal["mixture"]
    parts: tuple[Part, ...] = Field(min_length=2)
    filters: Filters = Filters()

    @property
    def most(self) -> int:
        """How many queries it makes at most, before its filters."""
        return sum(part.count for part in self.parts)


AugmentationSpec = Annotated[
    TitleQueries | CropQueries | Doc2QueryQueries | LlmQueries | MixedQueries, Field(discriminator="kind")
]
