"""Tests for overlap between training texts and test sets."""

from typing import Literal

from pydantic import Field, model_validator

from synthrank.config.base import Count, Entity, RetrieverName, Share

Where = Literal["query", "passage", "negative", "exemplar"]
"""The part of the training data that overlaps: queries, positives, negatives or exemplars of prompts."""


class LeakTests(Entity):
    """Tests of a training text against the queries and relevant passages of a test set.

    Texts are compared as words in lower case after Unicode normalisation (NFKC). A training passage overlaps if it
    shares one n-gram with a test query or a relevant test passage (GPT-3 used 13 words, Brown et al. 2020, appendix C;
    8 words also find quotations). Near duplicates are texts with similar vectors.
    """

    exact: bool = Field(default=True, description="Test for equal texts.")
    ngrams: tuple[Count, ...] = Field(default=(13,), description="Lengths of n-grams in words, each tested separately.")
    cosine: Share | None = Field(
        default=None,
        description="The smallest cosine of near duplicates, two queries or two passages; null: no such test.",
    )
    retriever: RetrieverName | None = Field(
        default=None, description="The dense retriever whose model encodes the texts."
    )
    words: Count | None = Field(
        default=32,
        description="Words from the start of a text that the model reads. Fewer words take less time, because all "
        "training texts are encoded. null: as many as the model supports.",
    )

    @model_validator(mode="after")
    def _has_both_or_none(self) -> "LeakTests":
        if (self.cosine is None) != (self.retriever is None):
            raise ValueError("state cosine and retriever together, or neither")
        return self
