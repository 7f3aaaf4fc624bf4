"""``config/rankings``: methods by which a language model ranks candidates."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.config.base import Count, Entity, PromptName, Share


class Malformed(Entity):
    """The treatment of queries with malformed replies."""

    max_share: Share = Field(
        default=1.0, description="The share of a query's replies that may be malformed after all attempts."
    )
    beyond: Literal["keep", "drop"] = Field(
        default="keep", description="Whether a query above this share is kept or dropped."
    )
    attempts: Count = Field(default=1, description="Attempts per request until a reply is well-formed.")


class _Ranking(Entity):
    """Keys of every ranking."""

    prompt: PromptName = Field(description="A prompt of config/prompts.")
    passage_words: Count | None = Field(default=None, description="Words of a passage in the prompt; null: all.")
    malformed: Malformed = Field(default=Malformed(), description="The treatment of queries with malformed replies.")

    @property
    def scores(self) -> bool:
        """Whether the model must return log-probabilities of a given text. Hosted models do not."""
        return getattr(self, "answer", None) == "log-probabilities"


class Listwise(_Ranking):
    """The model ranks a window that slides from the end of the ranking to its top (Sun et al. 2023, RankGPT)."""

    kind: Literal["listwise"] = Field(description="The method of ranking.")
    window: Count = Field(default=20, description="Passages per prompt.")
    step: Count = Field(default=10, description="Places that the window moves.")
    passes: Count = Field(default=1, description="The number of times that the window slides over the ranking.")

    @model_validator(mode="after")
    def _steps_overlap(self) -> "Listwise":
        if self.step > self.window:
            raise ValueError(f"step {self.step} skips passages; it must be at most window {self.window}")
        return self


class Setwise(_Ranking):
    """The model chooses the best of a few passages. A sort uses these choices (Zhuang et al. 2024)."""

    kind: Literal["setwise"] = Field(description="The method of ranking.")
    compared: int = Field(default=3, ge=2, le=26, description="Passages per choice; c + 1 in the paper.")
    sort: Literal["heap", "bubble"] = Field(default="heap", description="The sorting algorithm.")
    top: Count = Field(default=10, description="Places to sort; the rest keeps its order.")
    answer: Literal["text", "log-probabilities"] = Field(
        default="text",
        description="`text` reads the reply. `log-probabilities` takes the likeliest label and needs a local model.",
    )


class Pairwise(_Ranking):
    """The model compares two passages in both orders, to cancel its position bias (Qin et al. 2024, PRP)."""

    kind: Literal["pairwise"] = Field(description="The method of ranking.")
    sort: Literal["all-pairs", "heap", "bubble"] = Field(default="all-pairs", description="The sorting algorithm.")
    top: Count = Field(default=10, description="Places that heap and bubble sort; the rest keeps its order.")
    answer: Literal["text", "log-probabilities"] = Field(
        default="text",
        description="`text` reads the reply. `log-probabilities` takes the likelier label and needs a local model.",
    )


class Pointwise(_Ranking):
    """The log-probability of yes minus that of no, for one passage per prompt."""

    kind: Literal["pointwise"] = Field(description="The method of ranking.")
    positive: str = Field(default="Yes", description="The reply for a relevant passage.")
    negative: str = Field(default="No", description="The reply for another passage.")

    @property
    def scores(self) -> bool:
        """Always true."""
        return True


class QueryLikelihood(_Ranking):
    """The log-probability of the query given the passage (Sachan et al. 2022, UPR). It needs a local model."""

    kind: Literal["query-likelihood"] = Field(description="The method of ranking.")

    @property
    def scores(self) -> bool:
        """Always true."""
        return True


RankingSpec = Annotated[Listwise | Setwise | Pairwise | Pointwise | QueryLikelihood, Field(discriminator="kind")]
