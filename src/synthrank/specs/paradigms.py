"""``config/paradigms``: how the training passages come to be."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.specs.base import AugmentationName, Count, Entity, PromptName, Sha256
from synthrank.specs.corpora import TRAIN


class Exemplars(Entity):
    """What the prompt shows as examples."""

    kind: Literal["passages", "pairs"] = Field(
        description="`passages` shows raw text of the corpus, no labels; `pairs` shows training queries with a "
        "human answer each. Both are drawn for each query."
    )
    count: Count = Field(description="Examples in each prompt.")
    labels: Count | None = Field(
        default=None,
        description="For `pairs`: how many training queries with a human answer may be shown in all prompts together, "
        "drawn once for each seed. Each prompt shows `count` of them, never its own.",
    )
    words: Count | None = Field(default=None, description="Cut each example to this many words; null leaves it whole.")
    seed: int = Field(default=13, description="Seed of the draws.")

    @model_validator(mode="after")
    def _labels_are_stated_for_pairs(self) -> "Exemplars":
        if self.kind == "passages" and self.labels is not None:
            raise ValueError("raw passages use no labels; leave labels out")
        if self.kind == "pairs" and self.labels is None:
            raise ValueError("labels is missing; state how many labelled queries all prompts may show together")
        if self.labels is not None and self.labels <= self.count:
            raise ValueError(
                f"{self.labels} labels leave a query {self.labels - 1} pairs that are not its own, count asks for "
                f"{self.count}; state more labels or a smaller count"
            )
        return self


class Quality(Entity):
    """When a reply is a usable passage."""

    min_words: Count = Field(default=15, description="A shorter passage is dropped.")
    attempts: Count = Field(default=1, description="How often a query is asked until its reply is usable.")


class HumanParadigm(Entity):
    """The corpus's own relevant passages; nothing is generated."""

    kind: Literal["human"]


class GeneratedParadigm(Entity):
    """Passages that a language model writes for the training queries."""

    kind: Literal["generated"]
    prompt: PromptName = Field(description="A file of config/prompts.")
    exemplars: Exemplars | None = None
    passages: Count = Field(
        default=1,
        description="Passages a query: so many usable replies to the same request, no two of them word for word the "
        "same. Some can only differ where the LLM samples.",
    )
    quality: Quality = Quality()


class GradedParadigm(Entity):
    """Passages of several levels of relevance that a language model writes for a training query in one reply.

    The idea and the levels are SyCL's (Esfandiarpoor et al. 2025, arXiv 2503.23239).
    """

    kind: Literal["graded"]
    prompt: PromptName = Field(description="A file of config/prompts.")
    levels: tuple[int, ...] = Field(
        default=(3, 2, 1, 0), min_length=2, description="What is asked for, best first; a passage's grade is its level."
    )
    quality: Quality = Quality()


class ImportedParadigm(Entity):
    """Passages written elsewhere, for example by a model of other people."""

    kind: Literal["imported"]
    file: str = Field(description="JSON lines, under the directory that SYNTHRANK_DATA names (default data/).")
    by: Literal["passage", "query"] = Field(
        description="What the ids of the file are. `passage`: of passages of the corpus, and the text is another "
        "wording of that passage, relevant to the same queries; `query`: of training queries, and the text answers it."
    )
    id_key: str = Field(default="_id", description="The key of the id.")
    text_key: str = Field(default="text", description="The key of the text.")
    title_key: str | None = Field(default=None, description="The key of a title that is put before the text.")
    written_by: str = Field(description="Who or what wrote them; cards and tables say it.")
    sha256: Sha256 | None = Field(default=None, description="Of the file, to check.")
    quality: Quality = Quality(min_words=1)


class QueriedParadigm(Entity):
    """The corpus's own passages, each with queries that were made from it, as in InPars and Promptagator.

    Bonifacio et al. 2022 (arXiv 2202.05144); Dai et al. 2023 (arXiv 2209.11755).
    """

    kind: Literal["queries"]
    augmentation: AugmentationName = Field(
        description="Makes the queries; a query's passage is the one that it was made from. Its file names the LLM."
    )


ParadigmSpec = Annotated[
    HumanParadigm | GeneratedParadigm | GradedParadigm | ImportedParadigm | QueriedParadigm,
    Field(discriminator="kind"),
]

Asked = GeneratedParadigm | GradedParadigm
"""Paradigms whose passages a language model of the experiment writes."""


def queryset_of(paradigm: ParadigmSpec) -> str:
    """Return the queries that the passages of a paradigm are for: an augmentation's, or the training split's."""
    return paradigm.augmentation if isinstance(paradigm, QueriedParadigm) else TRAIN


def rewords(paradigm: ParadigmSpec) -> bool:
    """Tell whether the passages of a paradigm are the corpus's own in other words: imported, and keyed by passage."""
    return isinstance(paradigm, ImportedParadigm) and paradigm.by == "passage"


def word_for(paradigms: Iterable[ParadigmSpec]) -> str:
    """Return what tables and pages call the passages of paradigms, human ones aside.

    Text that says a human passage again is ``reworded``: it is no passage that a language model wrote for a query.
    Human passages with queries that were made from them are ``synthetic-query`` ones.
    """
    others = [paradigm for paradigm in paradigms if not isinstance(paradigm, HumanParadigm)]
    return " or ".join(dict.fromkeys(map(_word, others)))


def _word(paradigm: ParadigmSpec) -> str:
    if isinstance(paradigm, QueriedParadigm):
        return "synthetic-query"
    return "reworded" if rewords(paradigm) else "LLM-written"
