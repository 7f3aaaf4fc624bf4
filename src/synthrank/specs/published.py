"""``config/published``: figures of papers, to stand beside measured ones."""

from typing import Literal

from pydantic import Field

from synthrank.specs.base import Entity, Name, Share


class PublishedResult(Entity):
    """One system as a publication reports it."""

    method: str
    model: str = ""
    source: str = Field(description="Where the figures were read.")
    certainty: Literal["verified", "abstract", "memory"] = Field(
        default="verified", description="Read in the named source, in its abstract alone, or remembered: check those."
    )
    first_stage: str = Field(default="bm25", description="What was reranked; `none` for a first stage itself.")
    depth: int | None = Field(default=100, description="How much of it; null for a first stage itself.")
    values: dict[str, dict[str, Share]] = Field(
        description="For each test set the measures, as fractions of 1: trec-dl19: {nDCG@10: 0.7351}."
    )


class PublishedSpec(Entity):
    """Results that one table shows together."""

    results: tuple[PublishedResult, ...] = Field(min_length=1)
    elsewhere: tuple[Name, ...] = Field(
        default=(),
        description="Test sets of the results that have no file of config/testsets: nothing is measured here.",
    )
