"""``config/rankings``: how a language model orders candidates."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.specs.base import Count, Entity, PromptName, Share


class Malformed(Entity):
    """What becomes of a query whose replies could not be read."""

    max_share: Share = Field(
        default=1.0, description="Share of a query's questions that may stay malformed after every attempt."
    )
    beyond: Literal["keep", "drop"] = Field(default="keep", description="What becomes of a query above that share.")
    attempts: Count = Field(default=1, description="How often the same is asked until the reply is not malformed.")


class _Ranking(Entity):
    """What every ranking states."""

    prompt: PromptName
    passage_words: Count | None = Field(
        default=None, description="Words of a passage that the prompt shows; null: all."
    )
    malformed: Malformed = Malformed()

    @property
    def scores(self) -> bool:
        """Whether the model must tell how likely a given text is, which hosted models do not."""
        return getattr(self, "answer", None) == "log-probabilities"


class Listwise(_Ranking):
    """The model writes an order of a window that slides from the list's end to its top (Sun et al. 2023, RankGPT)."""

    kind: Literal["listwise"]
    window: Count = 20
    step: Count = 10
    passes: Count = Field(default=1, description="How often the window slides over the whole list.")

    @model_validator(mode="after")
    def _steps_overlap(self) -> "Listwise":
        if self.step > self.window:
            raise ValueError(f"step {self.step} skips passages; it must be at most window {self.window}")
        return self


class Setwise(_Ranking):
    """The model names the best of a few passages; a sort is built of these choices (Zhuang et al. 2024)."""

    kind: Literal["setwise"]
    compared: int = Field(default=3, ge=2, le=26, description="Passages in one choice; the paper's c + 1.")
    sort: Literal["heap", "bubble"] = "heap"
    top: Count = Field(default=10, description="How many places are sorted; the rest keeps its order.")
    answer: Literal["text", "log-probabilities"] = Field(
        default="text", description="`log-probabilities` takes the likeliest label, which needs a model that can score."
    )


class Pairwise(_Ranking):
    """The model compares two passages, in both orders, to cancel its liking for a place (Qin et al. 2024, PRP)."""

    kind: Literal["pairwise"]
    sort: Literal["all-pairs", "heap", "bubble"] = "all-pairs"
    top: Count = Field(default=10, description="How many places heap and bubble sort; the rest keeps its order.")
    answer: Literal["text", "log-probabilities"] = "text"


class Pointwise(_Ranking):
    """The log-probability of yes against no, a passage at a time."""

    kind: Literal["pointwise"]
    positive: str = Field(default="Yes", description="The reply that calls a passage relevant.")
    negative: str = "No"

    @property
    def scores(self) -> bool:
        """Always."""
        return True


class QueryLikelihood(_Ranking):
    """How likely the query is as the reply to the passage (Sachan et al. 2022, UPR); needs a model that can score."""

    kind: Literal["query-likelihood"]

    @property
    def scores(self) -> bool:
        """Always."""
        return True


RankingSpec = Annotated[Listwise | Setwise | Pairwise | Pointwise | QueryLikelihood, Field(discriminator="kind")]
