"""``config/augmentations``: queries made from the passages of a corpus."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import Count, Entity


class TitleQueries(Entity):
    """Titles of passages as queries."""

    kind: Literal["title"]
    count: Count = Field(description="At most this many, sampled; each distinct title once.")
    min_words: Count = 2
    seed: int = 13


AugmentationSpec = Annotated[TitleQueries, Field(discriminator="kind")]
