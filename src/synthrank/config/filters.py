"""``filter`` of positives in ``config/recipes``: selects pairs of query and passage for training."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.config.base import Count, Entity, LlmName, RankerName, RankingName, RetrieverName


class _Scored(Entity):
    """Keys of filters by a score."""

    min_score: float | None = Field(
        default=None, description="Drop pairs with a lower score; state this or `keep_share`."
    )
    keep_share: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Keep this share of the paradigm's training pairs, by score from the best. Pairs with equal scores "
        "are all kept or all dropped.",
    )

    @model_validator(mode="after")
    def _one_threshold(self) -> "_Scored":
        if (self.min_score is None) == (self.keep_share is None):
            raise ValueError("state either min_score or keep_share")
        return self


class RankerFilter(_Scored):
    """Keep pairs with a high score of a pretrained reranker (Jeronymo et al. 2023, InPars-v2: monoT5 keeps a tenth)."""

    kind: Literal["ranker"] = Field(description="The kind of filter.")
    ranker: RankerName = Field(description="A cross-encoder, seq2seq or decoder of config/rankers.")


class RetrieverFilter(_Scored):
    """Keep pairs with a high similarity in a dense retriever."""

    kind: Literal["retriever"] = Field(description="The kind of filter.")
    retriever: RetrieverName = Field(description="A dense retriever of config/retrievers.")


class LlmFilter(_Scored):
    """Keep pairs that a language model judges relevant."""

    kind: Literal["llm"] = Field(description="The kind of filter.")
    ranking: RankingName = Field(
        description="A ranking of kind pointwise, with the score log p(yes) - log p(no), or of kind query-likelihood, "
        "with the log-probability of the query per word."
    )
    llm: LlmName = Field(description="A local LLM; hosted LLMs return no log-probabilities.")


class RoundTripFilter(Entity):
    """Keep a passage that its query retrieves (Alberti et al. 2019; Dai et al. 2023, Promptagator).

    Human passages are retrieved from the corpus, generated passages from all generated passages of the LLM.
    """

    kind: Literal["round-trip"] = Field(description="The kind of filter.")
    retriever: RetrieverName = Field(description="The retriever that searches.")
    depth: Count = Field(default=20, description="The lowest rank of the passage; 1 in Promptagator.")


ScoreFilter = RankerFilter | RetrieverFilter | LlmFilter
"""Filters by a score."""

FilterSpec = Annotated[
    RankerFilter | RetrieverFilter | LlmFilter | RoundTripFilter,
    Field(discriminator="kind"),
]
