"""``config/augmentations``: queries from the passages of a corpus, and their filters."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.config.base import (
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
    """Keep a query only if it retrieves its source passage (Alberti et al. 2019; Promptagator)."""

    retriever: RetrieverName = Field(description="The retriever that searches.")
    depth: Count = Field(default=20, description="The lowest rank of the source passage.")


class Filters(Entity):
    """Filters of queries. Dropped queries are counted per filter."""

    duplicates: bool = Field(
        default=True, description="Keep only the first of queries that differ only in case and spaces."
    )
    testsets: tuple[TestsetName, ...] = Field(
        default=(), description="Drop queries that overlap with queries of these test sets."
    )
    max_overlap: Share = Field(
        default=0.8, description="The smallest Jaccard similarity of the words of two queries that overlap."
    )
    round_trip: RoundTrip | None = Field(
        default=None, description="Keep queries that retrieve their source passage; null: no such filter."
    )


class _Augmentation(Entity):
    """Keys of every kind of augmentation."""

    count: Count = Field(description="The maximum number of queries before the filters, taken from a seeded order.")
    seed: int = Field(default=13, description="Seed of the order.")
    filters: Filters = Field(default=Filters(), description="Filters of the queries.")

    @property
    def most(self) -> int:
        """The maximum number of queries before the filters."""
        return self.count


class TitleQueries(_Augmentation):
    """Distinct titles of passages as queries."""

    kind: Literal["title"] = Field(description="The kind of augmentation.")
    min_words: Count = Field(default=2, description="Shorter titles are skipped.")


class CropQueries(_Augmentation):
    """Sentences of passages as queries (Lin et al. 2023, DRAGON)."""

    kind: Literal["crop"] = Field(description="The kind of augmentation.")
    language: str = Field(default="en", description="Language of the package sentence-splitter, which finds sentences.")
    min_words: Count | None = Field(default=None, description="Shorter sentences are skipped; null: no limit.")
    max_words: Count | None = Field(default=None, description="Longer sentences are skipped; null: no limit.")


class Doc2QueryQueries(_Augmentation):
    """Queries that a sequence-to-sequence model predicts from passages (Nogueira and Lin 2019, docT5query)."""

    kind: Literal["doc2query"] = Field(description="The kind of augmentation.")
    model: ModelName = Field(description="A sequence-to-sequence model such as castorini/doc2query-t5-base-msmarco.")
    per_passage: Count = Field(default=1, description="Queries sampled per passage.")
    top_k: Count = Field(default=10, description="Sample from this number of likeliest tokens; docT5query used 10.")
    temperature: float = Field(default=1.0, gt=0, description="Temperature of sampling.")
    max_new_tokens: Count = Field(default=64, description="Maximum tokens of a query.")
    max_length: Count = Field(default=512, description="Maximum tokens of a passage.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32", description="Floating-point type of the model."
    )
    batch_size: Count = Field(default=32, description="Passages per batch.")


class LlmQueries(_Augmentation):
    """Queries that a language model writes for passages (InPars 2022; Promptagator 2023)."""

    kind: Literal["llm-query"] = Field(description="The kind of augmentation.")
    prompt: PromptName = Field(description="A file of config/prompts with task `queries`.")
    llm: LlmName = Field(description="The language model.")
    per_passage: Count = Field(default=1, description="Queries kept per reply.")
    exemplars: Count | None = Field(
        default=None, description="Human query-passage pairs of the training split per prompt; null: none."
    )
    passage_words: Count = Field(default=200, description="Words of a passage in the prompt.")


class MixturePart(Entity):
    """One part of a mixture."""

    augmentation: AugmentationName = Field(description="The augmentation that makes the queries.")
    count: Count = Field(description="Queries from the start of its seeded order, after its filters.")


class MixedQueries(Entity):
    """Queries of several augmentations, such as TWOLAR's 10 000 cropped and 10 000 docT5query queries."""

    kind: Literal["mixture"] = Field(description="The kind of augmentation.")
    parts: tuple[MixturePart, ...] = Field(min_length=2, description="The augmentations to combine.")
    filters: Filters = Field(default=Filters(), description="Filters of the combined queries.")

    @property
    def most(self) -> int:
        """The maximum number of queries before the filters."""
        return sum(part.count for part in self.parts)


AugmentationSpec = Annotated[
    TitleQueries | CropQueries | Doc2QueryQueries | LlmQueries | MixedQueries, Field(discriminator="kind")
]
