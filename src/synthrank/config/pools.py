"""``config/pools``: candidates from several first stages for a language model to rank."""

from typing import Literal

from pydantic import Field, model_validator

from synthrank.config.base import Count, Entity, RetrieverName


class PoolSpec(Entity):
    """Candidates of a query from the runs of several first stages. Each candidate has its sources and ranks."""

    sources: tuple[RetrieverName, ...] = Field(min_length=1, description="The first stages.")
    strategy: Literal["per-query-source", "round-robin", "union", "rrf"] = Field(
        description="`per-query-source`: the ranking of one source per query, with equally many queries per source. "
        "`round-robin`: in turn, the best remaining passage of each source. `union`: the tops of all sources that "
        "together have at most `depth` passages, by best rank. `rrf`: reciprocal rank fusion. TWOLAR's code does not "
        "define its strategy."
    )
    depth: Count = Field(default=30, description="Candidates per query; TWOLAR uses 30.")
    source_depth: Count = Field(default=100, description="Passages from the top of each source.")
    rrf_k: int = Field(default=60, ge=0, description="k of reciprocal rank fusion.")
    keep_source: bool = Field(default=True, description="Whether the source passage of a query may be a candidate.")
    seed: int = Field(default=13, description="Seed of the assignment of sources to queries.")

    @model_validator(mode="after")
    def _sources_fit(self) -> "PoolSpec":
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("sources: each source may occur only once")
        if self.strategy == "union" and self.depth < len(self.sources):
            raise ValueError(f"depth {self.depth} is less than the number of sources, {len(self.sources)}; raise it")
        return self
