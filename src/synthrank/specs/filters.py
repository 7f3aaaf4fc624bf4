"""``filter`` of positives in ``config/recipes``: which pairs of a query and a passage may be trained on."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.specs.base import Count, Entity, LlmName, RankerName, RankingName, RetrieverName


class _Scored(Entity):
    """What every filter by a score states: the lowest score, or the share of all pairs that is kept."""

    min_score: float | None = Field(default=None, description="Drop the pairs that score lower.")
    keep_share: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Keep this share of all pairs of the paradigm that may train, those that score best; of equal "
        "scores all or none.",
    )

    @model_validator(mode="after")
    def _one_threshold(self) -> "_Scored":
        if (self.min_score is None) == (self.keep_share is None):
            raise ValueError("the threshold must be stated once: min_score or keep_share")
        return self


class RankerFilter(_Scored):
    """Keep what a pretrained reranker scores well (Jeronymo et al. 2023, InPars-v2: monoT5 keeps a tenth)."""

    kind: Literal["ranker"]
    ranker: RankerName = Field(description="A cross-encoder, seq2seq or decoder file of config/rankers.")

    @property
    def scores(self) -> str:
        """The end of the path of its scores."""
        return f"rankers/{self.ranker}"


class RetrieverFilter(_Scored):
    """Keep what a dense retriever finds similar."""

    kind: Literal["retriever"]
    retriever: RetrieverName = Field(description="A dense file of config/retrievers.")

    @property
    def scores(self) -> str:
        """The end of the path of its scores."""
        return f"retrievers/{self.retriever}"


class LlmFilter(_Scored):
    """Keep what a language model judges relevant."""

    kind: Literal["llm"]
    ranking: RankingName = Field(
        description="A pointwise file of config/rankings, whose score is log p(yes) - log p(no), or one of "
        "query-likelihood, whose score is the log-probability of the query per word."
    )
    llm: LlmName = Field(description="A local LLM: hosted ones give no log-probabilities.")

    @property
    def scores(self) -> str:
        """The end of the path of its scores."""
        return f"{self.ranking}/{self.llm}"


class RoundTripFilter(Entity):
    """Keep a passage that its query finds again (Alberti et al. 2019; Dai et al. 2023, Promptagator).

    It is looked for where the passages of the paradigm are: in the corpus for human ones, among all that the LLM wrote
    for written ones.
    """

    kind: Literal["round-trip"]
    retriever: RetrieverName
    depth: Count = Field(default=20, description="The passage must be among this many; Promptagator's is 1.")


ScoreFilter = RankerFilter | RetrieverFilter | LlmFilter
"""Filters by a score."""

FilterSpec = Annotated[
    RankerFilter | RetrieverFilter | LlmFilter | RoundTripFilter,
    Field(discriminator="kind"),
]
