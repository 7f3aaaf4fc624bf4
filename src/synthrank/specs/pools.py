"""``config/pools``: which candidates of several first stages a language model orders."""

from typing import Literal

from pydantic import Field, model_validator

from synthrank.specs.base import Count, Entity, RetrieverName


class PoolSpec(Entity):
    """Candidates of a query out of the runs of several first stages; each keeps who found it, at which rank."""

    sources: tuple[RetrieverName, ...] = Field(min_length=1)
    strategy: Literal["per-query-source", "round-robin", "union", "rrf"] = Field(
        description="`per-query-source`: a query takes one source's list, each source serving equally many queries; "
        "`round-robin`: the best not yet taken of each source in turn; `union`: everything of the tops that together "
        "hold at most `depth` passages, by best rank; `rrf`: reciprocal rank fusion. The published code does not say."
    )
    depth: Count = Field(default=30, description="Candidates a query; TWOLAR has 30.")
    source_depth: Count = Field(default=100, description="How deep into each source's list.")
    rrf_k: int = Field(default=60, ge=0, description="k of reciprocal rank fusion.")
    keep_source: bool = Field(default=True, description="Whether the passage a query was made from may be a candidate.")
    seed: int = Field(default=13, description="Seed of which source serves which query.")

    @model_validator(mode="after")
    def _sources_fit(self) -> "PoolSpec":
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("a source is named twice; name each once")
        if self.strategy == "union" and self.depth < len(self.sources):
            raise ValueError(f"depth {self.depth} cannot hold the top of {len(self.sources)} sources; raise it")
        return self
