"""``config/published``: published scores, shown next to measured ones."""

from typing import Literal

from pydantic import Field

from synthrank.config.base import Entity, Name, Share


class PublishedResult(Entity):
    """Published scores of one system."""

    method: str = Field(description="Name of the method.")
    model: str = Field(default="", description="Name of the model.")
    source: str = Field(description="Source of the scores.")
    certainty: Literal["verified", "abstract", "memory"] = Field(
        default="verified",
        description="Whether scores were read in the source or only in its abstract. `memory`: not verified.",
    )
    first_stage: str = Field(default="bm25", description="The reranked first stage; `none` for a first stage itself.")
    depth: int | None = Field(default=100, description="Reranked passages per query; null for a first stage itself.")
    values: dict[str, dict[str, Share]] = Field(
        description="Scores between 0 and 1 per test set and measure, for example trec-dl19: {nDCG@10: 0.7351}."
    )


class PublishedSpec(Entity):
    """Published results for one table."""

    results: tuple[PublishedResult, ...] = Field(min_length=1, description="Published results, per system.")
    elsewhere: tuple[Name, ...] = Field(
        default=(),
        description="Test sets of the results that have no file in config/testsets, so nothing is measured on them.",
    )
