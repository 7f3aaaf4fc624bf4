"""``config/paradigms``: sources of training passages."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.config.base import AugmentationName, Count, Entity, PromptName, Sha256
from synthrank.config.corpora import TRAIN


class Exemplars(Entity):
    """Exemplars in the prompt."""

    kind: Literal["passages", "pairs"] = Field(
        description="`passages`: passages of the corpus, without labels. `pairs`: training queries with a human "
        "passage. Both are drawn per query."
    )
    count: Count = Field(description="Exemplars per prompt.")
    labels: Count | None = Field(
        default=None,
        description="For `pairs`: the number of labelled training queries that all prompts together may show, drawn "
        "once per seed. Each prompt shows `count` of them, without its own query.",
    )
    words: Count | None = Field(default=None, description="Maximum words per exemplar; null: no limit.")
    seed: int = Field(default=13, description="Seed of the draws.")

    @model_validator(mode="after")
    def _labels_are_stated_for_pairs(self) -> "Exemplars":
        if self.kind == "passages" and self.labels is not None:
            raise ValueError("exemplars of kind passages use no labels; remove labels")
        if self.kind == "pairs" and self.labels is None:
            raise ValueError(
                "exemplars of kind pairs need labels, the number of labelled queries in all prompts together"
            )
        if self.labels is not None and self.labels <= self.count:
            raise ValueError(
                f"labels {self.labels} must exceed count {self.count}, because a prompt does not show its own query; "
                "raise labels or lower count"
            )
        return self


class Quality(Entity):
    """Criteria for a usable passage."""

    min_words: Count = Field(default=15, description="Shorter passages are dropped.")
    attempts: Count = Field(default=1, description="Attempts per query until a reply is usable.")


class HumanParadigm(Entity):
    """Relevant passages of the corpus. Nothing is generated."""

    kind: Literal["human"] = Field(description="The kind of paradigm.")


class GeneratedParadigm(Entity):
    """Passages that a language model generates for the training queries."""

    kind: Literal["generated"] = Field(description="The kind of paradigm.")
    prompt: PromptName = Field(description="A prompt of config/prompts.")
    exemplars: Exemplars | None = Field(default=None, description="Exemplars in the prompt; null: none.")
    passages: Count = Field(
        default=1,
        description="Passages per query: distinct usable replies to the same request. More than one needs an LLM that "
        "samples.",
    )
    quality: Quality = Field(default=Quality(), description="Criteria for a usable passage.")


class GradedParadigm(Entity):
    """Passages of several levels of relevance, which a language model generates per training query in one reply.

    The levels are those of SyCL (Esfandiarpoor et al. 2025, arXiv 2503.23239).
    """

    kind: Literal["graded"] = Field(description="The kind of paradigm.")
    prompt: PromptName = Field(description="A prompt of config/prompts.")
    levels: tuple[int, ...] = Field(
        default=(3, 2, 1, 0), min_length=2, description="Requested levels from the best; the level is the label."
    )
    quality: Quality = Field(default=Quality(), description="Criteria for a usable passage.")


class ImportedParadigm(Entity):
    """Passages from an external source, for example a published data set."""

    kind: Literal["imported"] = Field(description="The kind of paradigm.")
    file: str = Field(description="JSON lines under the directory of SYNTHRANK_DATA, by default data/.")
    by: Literal["passage", "query"] = Field(
        description="The type of the file's ids. `passage`: ids of passages of the corpus; the text is another wording "
        "of the passage, relevant to the same queries. `query`: ids of training queries; the text answers the query."
    )
    id_key: str = Field(default="_id", description="The key of the id.")
    text_key: str = Field(default="text", description="The key of the text.")
    title_key: str | None = Field(
        default=None, description="The key of a title, which is put before the text; null: no title."
    )
    written_by: str = Field(description="The author or model, shown in cards and tables.")
    sha256: Sha256 | None = Field(default=None, description="Expected SHA-256 of the file; null: not checked.")
    quality: Quality = Field(default=Quality(min_words=1), description="Criteria for a usable passage.")


class QueriedParadigm(Entity):
    """Passages of the corpus with queries generated from them, as in InPars and Promptagator.

    Bonifacio et al. 2022 (arXiv 2202.05144); Dai et al. 2023 (arXiv 2209.11755).
    """

    kind: Literal["queries"] = Field(description="The kind of paradigm.")
    augmentation: AugmentationName = Field(
        description="The augmentation that makes the queries. Its file states the LLM."
    )


ParadigmSpec = Annotated[
    HumanParadigm | GeneratedParadigm | GradedParadigm | ImportedParadigm | QueriedParadigm,
    Field(discriminator="kind"),
]

AskedParadigm = GeneratedParadigm | GradedParadigm
"""Paradigms whose passages a language model of the experiment generates."""


def queryset_of(paradigm: ParadigmSpec) -> str:
    """Return the query set of a paradigm: an augmentation, or the training split."""
    return paradigm.augmentation if isinstance(paradigm, QueriedParadigm) else TRAIN


def rewords(paradigm: ParadigmSpec) -> bool:
    """Return whether a paradigm rewords passages of the corpus, that is, imports passages by passage id."""
    return isinstance(paradigm, ImportedParadigm) and paradigm.by == "passage"


def word_for(paradigms: Iterable[ParadigmSpec]) -> str:
    """Return the adjective in tables and pages for the passages of paradigms, without human ones.

    Reworded human passages are ``reworded``. Human passages with generated queries are ``synthetic-query``. All other
    passages are ``LLM-generated``.
    """
    others = [paradigm for paradigm in paradigms if not isinstance(paradigm, HumanParadigm)]
    return " or ".join(dict.fromkeys(map(_word, others)))


def _word(paradigm: ParadigmSpec) -> str:
    if isinstance(paradigm, QueriedParadigm):
        return "synthetic-query"
    return "reworded" if rewords(paradigm) else "LLM-generated"
