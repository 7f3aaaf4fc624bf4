"""When a training text counts as something that a test set holds too."""

from typing import Literal

from pydantic import Field, model_validator

from synthrank.specs.base import Count, Entity, RetrieverName, Share

Where = Literal["query", "passage", "negative", "exemplar"]
"""What of the training data leaks: its queries, its positives, its negatives, the exemplars of its prompts."""


class LeakTests(Entity):
    """Tests of a training text against the queries and the relevant passages of a test set.

    Exact is after Unicode normalisation (NFKC), in lower case, words alone. n-grams are of such words; of a training
    passage that shares one with a relevant test passage or a test query it leaks, whatever the rest says (GPT-3 took
    13, Brown et al. 2020, appendix C; 8 also finds quotations). Near duplicates are texts whose vectors are as near.
    """

    exact: bool = True
    ngrams: tuple[Count, ...] = Field(default=(13,), description="Lengths in words, each counted by itself.")
    cosine: Share | None = Field(
        default=None, description="Texts of one kind with at least this cosine are near duplicates; null tests none."
    )
    retriever: RetrieverName | None = Field(default=None, description="The dense file whose model gives the vectors.")
    words: Count | None = Field(
        default=32,
        description="Words at a text's beginning that the model reads: all training texts are encoded, and the time "
        "grows with their length. null reads as much as the model takes.",
    )

    @model_validator(mode="after")
    def _has_both_or_none(self) -> "LeakTests":
        if (self.cosine is None) != (self.retriever is None):
            raise ValueError("state cosine and retriever together, or neither")
        return self
