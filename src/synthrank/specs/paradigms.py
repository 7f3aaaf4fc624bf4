"""``config/paradigms``: how the training passages come to be."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import Count, Entity, PromptName


class Exemplars(Entity):
    """What the prompt shows as examples."""

    kind: Literal["passages", "pairs"] = Field(
        description="`passages` shows raw text of the corpus, no labels; `pairs` shows training queries with a "
        "human answer each."
    )
    count: Count = Field(description="Examples in each prompt.")
    words: Count | None = Field(default=None, description="Cut each example to this many words.")
    seed: int = Field(default=13, description="Seed of the choice.")


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
    quality: Quality = Quality()


ParadigmSpec = Annotated[HumanParadigm | GeneratedParadigm, Field(discriminator="kind")]
